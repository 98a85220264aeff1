// npm run make-samples: draws the sample pictures anew, the same at every run. What it writes is committed.
import { mkdir, writeFile } from 'node:fs/promises';
import sharp from 'sharp';

const folder = new URL('../samples/', import.meta.url);

/** Repeatable numbers from 0 to 1 (a linear congruential generator). */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const svg = (width, height, content) =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${content}</svg>`,
  );

const gradient = (id, ...stops) =>
  `<linearGradient id="${id}" x2="0" y2="1">${stops
    .map((colour, index) => `<stop offset="${index / (stops.length - 1)}" stop-color="${colour}"/>`)
    .join('')}</linearGradient>`;

/** A ridge of hills from the left to the right edge, filled down to the bottom. */
function ridge(width, height, { top, roughness, fill, seed }) {
  const random = randomNumbers(seed);
  const step = width / 96;
  const waves = Array.from({ length: 4 }, (_, index) => ({
    length: (width / (9 + index * 17)) * (0.8 + random() * 0.4),
    height: roughness / (1 + index * 1.6),
    shift: random() * Math.PI * 2,
  }));
  const points = Array.from({ length: 98 }, (_, index) => {
    const x = index * step - step;
    const y = waves.reduce((sum, wave) => sum + Math.sin(x / wave.length + wave.shift) * wave.height, top);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return `<polygon points="${points.join(' ')} ${width + step},${height} ${-step},${height}" fill="${fill}"/>`;
}

function mountains() {
  const [width, height] = [1800, 1200];
  const layers = [
    { top: 620, roughness: 120, fill: '#a5698f', seed: 3 },
    { top: 740, roughness: 100, fill: '#7a4a7f', seed: 11 },
    { top: 870, roughness: 80, fill: '#4c3267', seed: 29 },
    { top: 1010, roughness: 60, fill: '#2a1f49', seed: 41 },
  ];
  return svg(
    width,
    height,
    `<defs>${gradient('sky', '#27345f', '#8a5a94', '#f08a6c', '#ffd59a')}
    <radialGradient id="glow"><stop offset="0" stop-color="#fff3cf"/><stop offset=".25" stop-color="#ffe2a0" stop-opacity=".8"/><stop offset="1" stop-color="#ffb070" stop-opacity="0"/></radialGradient></defs>
    <rect width="100%" height="100%" fill="url(#sky)"/>
    <circle cx="1180" cy="590" r="420" fill="url(#glow)"/><circle cx="1180" cy="590" r="74" fill="#fff6dd"/>
    ${layers.map((layer) => ridge(width, height, layer)).join('')}`,
  );
}

function lighthouse() {
  const [width, height] = [1000, 1500];
  return svg(
    width,
    height,
    `<defs>${gradient('sky', '#0f2f4f', '#2f7390', '#f6c89a')}${gradient('sea', '#2c6d86', '#0d2c44')}
    <linearGradient id="beam"><stop stop-color="#fff2b8" stop-opacity=".85"/><stop offset="1" stop-color="#fff2b8" stop-opacity="0"/></linearGradient></defs>
    <rect width="1000" height="1060" fill="url(#sky)"/><rect y="1050" width="1000" height="450" fill="url(#sea)"/>
    <polygon points="520,402 1000,250 1000,560" fill="url(#beam)"/>
    <polygon points="410,1090 450,470 550,470 590,1090" fill="#f4efe6"/>
    <polygon points="436,690 442,600 558,600 564,690" fill="#c8433a"/><polygon points="421,930 429,810 571,810 579,930" fill="#c8433a"/>
    <rect x="430" y="452" width="140" height="22" rx="6" fill="#22303c"/><rect x="456" y="368" width="88" height="86" fill="#ffe9a3"/>
    <path d="M440 370 L500 300 L560 370Z" fill="#c8433a"/>
    <path d="M0 1210 Q180 1040 420 1078 T760 1130 T1000 1240 V1500 H0Z" fill="#152533"/>`,
  );
}

function harbour() {
  const [width, height] = [1600, 1000];
  const random = randomNumbers(7);
  const houses = Array.from({ length: 15 }, (_, index) => {
    const x = index * 108 - 10;
    const tall = 190 + random() * 270;
    const colour = ['#e4b363', '#ef6461', '#e0dfd5', '#6a8eae', '#57886c', '#d9a5b3'][
      Math.floor(random() * 6)
    ];
    const windows = Array.from({ length: Math.floor(tall / 64) * 3 }, (_, pane) => {
      const lit = random() > 0.45 ? '#ffe8a8' : '#33415c';
      return `<rect x="${x + 14 + (pane % 3) * 28}" y="${724 - tall + Math.floor(pane / 3) * 60}" width="16" height="30" fill="${lit}"/>`;
    });
    return `<rect x="${x}" y="${700 - tall}" width="100" height="${tall}" fill="${colour}"/><path d="M${x - 4} ${700 - tall} l54 -52 l54 52Z" fill="#5b3a3a"/>${windows.join('')}`;
  });
  return svg(
    width,
    height,
    `<defs>${gradient('sky', '#1b2340', '#5a4e7c', '#d98e8e')}</defs>
    <rect width="1600" height="1000" fill="url(#sky)"/>${houses.join('')}
    <g transform="matrix(1 0 0 -.46 0 1020)" opacity=".45">${houses.join('')}</g>
    <rect y="698" width="1600" height="302" fill="#1b2a4a" opacity=".55"/>`,
  );
}

function balloon() {
  const stripes = ['#e63946', '#f1faee', '#457b9d', '#f1faee', '#e63946', '#f1faee', '#457b9d'];
  const gores = stripes.map((colour, index) => {
    const [left, right] = [index, index + 1].map((edge) => 400 + Math.sin((edge / 7 - 0.5) * Math.PI) * 300);
    return `<path d="M400 60 C${left} 60 ${left - (400 - left) * 0.25} 380 ${400 + (left - 400) * 0.22} 690 L${400 + (right - 400) * 0.22} 690 C${right - (400 - right) * 0.25} 380 ${right} 60 400 60Z" fill="${colour}"/>`;
  });
  return svg(
    800,
    900,
    `<defs><clipPath id="envelope">${gores.join('')}</clipPath><radialGradient id="shade" cx=".35" cy=".3"><stop stop-color="#fff" stop-opacity=".5"/><stop offset=".6" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#102030" stop-opacity=".35"/></radialGradient></defs>
    ${gores.join('')}<ellipse cx="400" cy="340" rx="300" ry="400" fill="url(#shade)" clip-path="url(#envelope)"/>
    <path d="M345 690 L360 790 M455 690 L440 790" stroke="#6b4f3a" stroke-width="5"/><rect x="348" y="785" width="104" height="74" rx="12" fill="#8a5a34"/>`,
  );
}

function emblem() {
  const petals = Array.from({ length: 12 }, (_, index) => {
    const hue = index * 30;
    return `<ellipse cx="200" cy="110" rx="34" ry="88" fill="hsl(${hue} 70% 55%)" opacity=".72" transform="rotate(${hue} 200 200)"/>`;
  });
  return svg(
    400,
    400,
    `<title>Flower</title>${petals.join('')}<circle cx="200" cy="200" r="34" fill="#fff8e7"/>`,
  );
}

/** One turn of three planets, a frame each. */
function orbits(frameCount) {
  const [size, centre] = [240, 120];
  const planets = [
    { radius: 42, size: 9, colour: '#f4a261', turns: 3 },
    { radius: 70, size: 13, colour: '#2a9d8f', turns: 2 },
    { radius: 100, size: 10, colour: '#e76f51', turns: 1 },
  ];
  return Array.from({ length: frameCount }, (_, frame) =>
    svg(
      size,
      size,
      `<rect width="100%" height="100%" fill="#14213d"/><circle cx="${centre}" cy="${centre}" r="20" fill="#fca311"/>${planets
        .map(({ radius, size: planetSize, colour, turns }) => {
          const angle = (frame / frameCount) * turns * 2 * Math.PI;
          const [x, y] = [centre + radius * Math.cos(angle), centre + radius * Math.sin(angle)];
          return `<circle cx="${centre}" cy="${centre}" r="${radius}" fill="none" stroke="#fff" stroke-opacity=".25"/><circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${planetSize}" fill="${colour}"/>`;
        })
        .join('')}`,
    ),
  );
}

async function animation() {
  const frames = await Promise.all(orbits(12).map((frame) => sharp(frame).png().toBuffer()));
  return sharp(frames, { join: { animated: true } }).gif({
    delay: frames.map(() => 90),
    loop: 0,
    colours: 32,
  });
}

const emblemFile = emblem();
const samples = {
  'mountains.jpg': sharp(mountains()).flatten().jpeg({ quality: 72 }),
  // Stored on its side: only its EXIF orientation says which way is up.
  'lighthouse.jpg': sharp(lighthouse())
    .flatten()
    .rotate(-90)
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 72 }),
  'harbour.webp': sharp(harbour()).flatten().webp({ quality: 60 }),
  'balloon.png': sharp(balloon()).png({ palette: true, colours: 128 }),
  'orbits.gif': await animation(),
};

await mkdir(folder, { recursive: true });
for (const [name, image] of Object.entries(samples))
  await writeFile(new URL(name, folder), await image.toBuffer());
await writeFile(new URL('emblem.svg', folder), emblemFile);
