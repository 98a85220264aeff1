import { writeFile } from 'node:fs/promises';
import sharp, { type Metadata } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ImageServer } from './image-server.js';
import { TemporaryFolder } from './temporary-folder.js';

let folder: TemporaryFolder;
let server: ImageServer;

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50"><rect width="50" height="50" fill="red"/></svg>';

beforeAll(async () => {
  folder = await TemporaryFolder.create();
  const blue = sharp({ create: { width: 400, height: 200, channels: 3, background: '#0000ff' } });
  const clear = sharp({
    create: { width: 40, height: 20, channels: 4, background: { r: 0, g: 0, b: 255, alpha: 0 } },
  });
  // Red on the left of the stored pixels, which is the top of the picture.
  const turned = sharp({ create: { width: 80, height: 40, channels: 3, background: '#0000ff' } })
    .composite([
      { input: { create: { width: 40, height: 40, channels: 3, background: '#ff0000' } }, left: 0, top: 0 },
    ])
    .withMetadata({ orientation: 6 });
  const frames = ['#ff0000', '#00ff00', '#0000ff'].map((background) =>
    sharp({ create: { width: 60, height: 30, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  const photo = await blue.clone().png().toBuffer();
  const files: Record<string, Uint8Array | string> = {
    'wide.png': photo,
    'wide.webp': await blue.clone().webp().toBuffer(),
    'wide.avif': await blue.clone().avif({ effort: 0 }).toBuffer(),
    'wide.tiff': await blue.clone().tiff().toBuffer(),
    'clear.png': await clear.png().toBuffer(),
    'turned.jpg': await turned.jpeg().toBuffer(),
    'animated.gif': await sharp(await Promise.all(frames), { join: { animated: true } })
      .gif()
      .toBuffer(),
    'pages.tiff': await sharp(await Promise.all(frames), { join: { animated: true } })
      .tiff()
      .toBuffer(),
    'noise.png': await sharp({
      create: {
        width: 200,
        height: 200,
        channels: 3,
        background: '#888888',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .png()
      .toBuffer(),
    'drawing.svg': SVG,
    'broken.png': photo.subarray(0, photo.length / 2),
    'text.png': 'this is no image',
    'empty.png': '',
    'bomb.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"/>',
    'reads-file.svg': `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="40"><image width="40" height="40" xlink:href="file://${folder.join('wide.png')}"/></svg>`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(folder.join(name), content);
  server = await ImageServer.start({ IMGPROXY_LOCAL_FILESYSTEM_ROOT: folder.path, IMGPROXY_TTL: '3600' });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

// Source 400 x 200. Expected sizes are what imgproxy's rules give.
describe('sizes', () => {
  test.each([
    ['w:100', 100, 50],
    ['h:100', 200, 100],
    ['w:0/h:0', 400, 200],
    ['rs:fit:100:100', 100, 50],
    ['rs:fit:800:800', 400, 200],
    ['rs:fit:800:800:1', 800, 400],
    ['rs:fit:3:3', 3, 2],
    ['rs:fit:1:100', 1, 1],
    ['rs:fill:100:100', 100, 100],
    ['rs:fill:50:100', 50, 100],
    ['rs:fill:100', 100, 50],
    ['rs:fill:300:300', 300, 200],
    ['rs:fill:300:300:1', 300, 300],
    ['rs:fill-down:300:300', 200, 200],
    ['rs:force:100:100', 100, 100],
    ['rs:force:100', 100, 200],
    ['rs:force:800:100', 400, 50],
    ['rs:force:800:100:1', 800, 100],
    ['rs:auto:100:100', 100, 100],
    ['rs:auto:100:150', 100, 50],
    ['w:100/dpr:2', 200, 100],
    ['w:100/dpr:0.5', 50, 25],
    ['w:300/dpr:2', 400, 200],
    ['w:300/dpr:2/el:1', 600, 300],
    ['rs:fill:100:100/dpr:1.5', 150, 150],
    ['rs:fill:200:200/dpr:3', 200, 200],
    ['dpr:2', 400, 200],
  ])('%s', async (options, width, height) => {
    const { metadata } = await render(`/x/${options}/plain/local:///wide.png@png`);
    expect([metadata.width, metadata.height]).toEqual([width, height]);
  });

  test.each(['w:100000/h:100000/el:1', 'dpr:NaN/w:10', 'dpr:Inf/w:10/el:1'])(
    '%s is refused',
    async (options) => {
      expect((await server.get(`/x/${options}/plain/local:///wide.png@png`)).status).toBe(422);
    },
  );
});

describe('formats', () => {
  test.each([
    ['wide.png@jpeg', 'image/jpeg', 'jpeg'],
    ['wide.png@jpg', 'image/jpeg', 'jpeg'],
    ['wide.png@webp', 'image/webp', 'webp'],
    ['wide.png@avif', 'image/avif', 'heif'],
    ['wide.png@gif', 'image/gif', 'gif'],
    ['wide.png', 'image/png', 'png'],
    ['wide.webp', 'image/webp', 'webp'],
    ['wide.avif', 'image/avif', 'heif'],
    ['wide.avif@png', 'image/png', 'png'],
    ['wide.tiff', 'image/jpeg', 'jpeg'],
    ['turned.jpg', 'image/jpeg', 'jpeg'],
    ['animated.gif', 'image/gif', 'gif'],
    ['drawing.svg@png', 'image/png', 'png'],
  ])('%s is %s', async (name, contentType, format) => {
    const { answer, metadata } = await render(`/x/w:20/plain/local:///${name}`);
    expect([answer.headers['content-type'], metadata.format]).toEqual([contentType, format]);
  });

  test.each(['jxl', 'heic', 'ico', 'bmp', 'tiff', 'svg'])('%s cannot be written', async (format) => {
    const answer = await server.get(`/x/w:20/plain/local:///wide.png@${format}`);
    expect([answer.status, String(answer.body)]).toEqual([422, 'Invalid URL']);
  });

  test('an SVG is served as it is, unless another format is asked for', async () => {
    for (const path of ['/x/w:20/plain/local:///drawing.svg', '/x/w:20/plain/local:///drawing.svg@svg']) {
      const { headers, body } = await server.get(path);
      expect([headers['content-type'], String(body)]).toEqual(['image/svg+xml', SVG]);
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).toContain('sandbox');
    }
    const { answer, metadata } = await render('/x/w:300/plain/local:///drawing.svg@png');
    expect([metadata.width, metadata.height]).toEqual([300, 150]);
    // Drawn at this size and not blown up: the edge is as sharp as a pixel.
    const row = await sharp(answer.body)
      .extract({ left: 140, top: 75, width: 20, height: 1 })
      .raw()
      .toBuffer();
    const alphas = [...row].filter((_, index) => index % 4 === 3);
    expect(alphas.filter((alpha) => alpha > 8 && alpha < 247).length).toBeLessThanOrEqual(2);
  });

  test('an SVG reads no other file', async () => {
    const { answer } = await render('/x/plain/local:///reads-file.svg@png');
    expect((await sharp(answer.body).stats()).channels.map(({ max }) => max)).toEqual([0, 0, 0, 0]);
  });
});

test('the EXIF orientation is applied, and width and height are those of the picture seen', async () => {
  const { answer, metadata } = await render('/x/rs:fit:20:40/plain/local:///turned.jpg@png');
  expect([metadata.width, metadata.height, metadata.orientation]).toEqual([20, 40, undefined]);
  expect(await pixel(answer, 10, 5)).toEqual(closeTo(254, 0, 0));
  expect(await pixel(answer, 10, 35)).toEqual(closeTo(0, 0, 254));
});

test('an animation stays one in GIF and WebP, and is its first frame elsewhere', async () => {
  for (const format of ['gif', 'webp']) {
    const { metadata } = await render(`/x/rs:fill:20:20/plain/local:///animated.gif@${format}`);
    expect([metadata.pages, metadata.width, metadata.pageHeight]).toEqual([3, 20, 20]);
  }
  const { answer, metadata } = await render('/x/rs:fill:20:20/plain/local:///animated.gif@png');
  expect([metadata.pages ?? 1, metadata.width, metadata.height]).toEqual([1, 20, 20]);
  expect(await pixel(answer, 10, 10)).toEqual(closeTo(255, 0, 0));
});

test('of a file with several pages the first is the picture', async () => {
  for (const format of ['gif', 'webp', 'png']) {
    const { answer, metadata } = await render(`/x/plain/local:///pages.tiff@${format}`);
    expect([metadata.pages ?? 1, metadata.width, metadata.height]).toEqual([1, 60, 30]);
    expect(await pixel(answer, 10, 10)).toEqual(closeTo(255, 0, 0));
  }
});

describe('transparency', () => {
  test.each([
    ['plain/local:///clear.png@jpeg', [255, 255, 255]],
    ['bg:ff0000/plain/local:///clear.png@jpeg', [254, 0, 0]],
    ['bg:0:255:0/plain/local:///clear.png@png', [0, 255, 0]],
  ])('%s', async (path, [red = 0, green = 0, blue = 0]) => {
    const { answer } = await render(`/x/${path}`);
    expect(await pixel(answer, 5, 5)).toEqual(closeTo(red, green, blue));
  });

  test.each(['png', 'webp', 'gif', 'avif'])('%s keeps it', async (format) => {
    const { answer } = await render(`/x/plain/local:///clear.png@${format}`);
    const [, , , alpha] = await pixel(answer, 5, 5);
    expect(alpha).toBe(0);
  });
});

test.each(['jpeg', 'webp', 'avif'])('quality counts for %s, and 0 means the default', async (format) => {
  const bytes = async (options: string) =>
    (await render(`/x/${options}/plain/local:///noise.png@${format}`)).answer.body.length;
  const [low, middle, high, unset] = [
    await bytes('q:10'),
    await bytes('q:0'),
    await bytes('q:100'),
    await bytes('w:0'),
  ];
  expect(low).toBeLessThan(middle);
  expect(middle).toBeLessThan(high);
  expect(middle).toBe(unset);
});

describe('errors', () => {
  test.each(['broken.png', 'text.png', 'empty.png', 'bomb.svg'])('%s is no image', async (name) => {
    for (const attempt of ['first', 'second']) {
      const answer = await server.get(`/x/w:10/plain/local:///${name}@png`);
      expect([attempt, answer.status, String(answer.body)]).toEqual([attempt, 422, 'Invalid source image']);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.headers['cache-status']).toBeUndefined();
    }
  });

  test.each([
    ['/x/wm:0.5/plain/local:///wide.png', 422, 'Processing option watermark is not supported here'],
    ['/x/mb:1000/plain/local:///wide.png', 422, 'Processing option max_bytes is not supported here'],
    ['/x/g:sm/plain/local:///wide.png', 422, 'Gravity sm is not supported here'],
    [
      '/x/blur:2/plain/local:///animated.gif',
      422,
      'A processing option is not supported here for animations',
    ],
    ['/x/brightness:10/plain/local:///wide.png', 404, 'Invalid URL'],
    ['/x/w:-1/plain/local:///wide.png', 404, 'Invalid URL'],
    ['/x/nonsense:1/plain/local:///wide.png', 404, 'Invalid URL'],
    ['/x/msr:1/plain/local:///wide.png', 403, 'Invalid URL'],
    ['/x/exp:1/plain/local:///wide.png', 404, 'Invalid URL'],
    ['/x', 404, 'Invalid URL'],
    ['/x/%zz', 400, 'Invalid URL'],
  ])('%s', async (path, status, message) => {
    const answer = await server.get(path);
    expect([answer.status, String(answer.body)]).toEqual([status, message]);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  });
});

test('clients may keep an image for IMGPROXY_TTL, and no longer than its URL is valid', async () => {
  const now = Math.floor(Date.now() / 1000);
  const cacheControl = async (options: string) =>
    (await server.get(`/x/${options}/plain/local:///wide.png@png`)).headers['cache-control'];
  expect(await cacheControl('w:10')).toBe('max-age=3600, public');
  expect(await cacheControl(`w:10/exp:${now + 100_000}`)).toBe('max-age=3600, public');
  expect(await cacheControl('w:10/exp:0')).toBe('max-age=3600, public');
  const seconds = Number(
    /^max-age=(\d+), public$/.exec((await cacheControl(`w:10/exp:${now + 1000}`)) ?? '')?.[1],
  );
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(1000);
});

async function render(path: string): Promise<{ answer: Answer; metadata: Metadata }> {
  const answer = await server.get(path);
  expect([path, answer.status, answer.status === 200 ? '' : String(answer.body)]).toEqual([path, 200, '']);
  return { answer, metadata: await sharp(answer.body, { animated: true }).metadata() };
}

async function pixel(answer: Answer, left: number, top: number): Promise<number[]> {
  const one = sharp(answer.body).extract({ left, top, width: 1, height: 1 });
  return [...(await one.ensureAlpha().raw().toBuffer())];
}

function closeTo(...colour: readonly number[]): unknown[] {
  return [...colour.map((channel) => expect.closeTo(channel, -0.7)), 255];
}
