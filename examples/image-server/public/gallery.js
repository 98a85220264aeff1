const AT_ONCE = 2;
const times = { hit: [], miss: [] };
const element = (id) => document.getElementById(id);

const { cache, example, pictures } = await (await fetch('/gallery.json')).json();
element('cache').textContent = `Cache: ${cache.text}`;
if (example) await explain(example);
const variants = pictures.flatMap(showPicture);
element('reload').addEventListener('click', loadAll);
await loadAll();

/** Asks for one picture twice, and says what the server did each time. */
async function explain({ name, url }) {
  const image = element('example');
  image.alt = name;
  for (const step of ['first', 'second']) {
    try {
      const { picture, outcome, times } = await ask(url);
      display(image, picture);
      element(step).textContent = sentenceOf(outcome, times, name);
      element(step).dataset.outcome = outcome;
    } catch (error) {
      element(step).textContent = `${name} failed: ${error.message}`;
    }
  }
}

function sentenceOf(outcome, { lookup, render }, name) {
  switch (outcome) {
    case 'hit':
      return `Hit: ${name} was in the cache. Looking it up took ${formatTime(lookup)}.`;
    case 'miss':
      return `Miss: ${name} was not in the cache. Looking it up took ${formatTime(lookup)}, rendering it ${formatTime(render)}. Then it was stored.`;
    default:
      return `Bypass: there is no cache. Rendering ${name} took ${formatTime(render)}.`;
  }
}

/** Makes a picture's card, and gives its variants back, each with the cell that shows it. */
function showPicture({ name, variants }) {
  const card = element('picture').content.firstElementChild.cloneNode(true);
  card.querySelector('h3').textContent = name;
  const preview = card.querySelector('img');
  const widths = [...new Set(variants.map(({ width }) => width))];
  const largest = Math.max(...widths);
  card.querySelector('thead tr').append(...widths.map((width) => heading(`${width} px`, 'col')));
  const rows = Map.groupBy(variants, ({ format }) => format);
  const cells = [];
  for (const [format, ofFormat] of rows) {
    const row = card.querySelector('tbody').insertRow();
    row.append(heading(format.toUpperCase(), 'row'));
    for (const variant of ofFormat) {
      const cell = row.insertCell();
      cell.className = 'variant';
      cell.innerHTML =
        '<div class="picture"><img></div><span class="outcome">loading</span><span class="time"></span><span class="size"></span>';
      cell.querySelector('img').alt = `${name} as ${format}, ${variant.width} pixels`;
      const isPreview = variant.width === largest && cells.every((shown) => shown.preview === undefined);
      cells.push({ ...variant, cell, preview: isPreview ? preview : undefined });
    }
  }
  element('pictures').append(card);
  return cells;
}

function heading(text, scope) {
  const cell = document.createElement('th');
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}

async function loadAll() {
  const button = element('reload');
  button.disabled = true;
  element('progress').textContent = `Loading ${variants.length} images …`;
  const outcomes = await loadInTurn();
  const count = (wanted) => outcomes.filter((outcome) => outcome === wanted).length;
  const failed = count('failed');
  element('progress').textContent =
    `${outcomes.length} images loaded: ${count('hit')} from the cache, ` +
    `${outcomes.length - count('hit') - failed} rendered${failed > 0 ? `, ${failed} failed` : ''}.`;
  button.disabled = false;
}

/** A few at a time: the server would count the time that a picture waits for its turn as rendering. */
async function loadInTurn() {
  const outcomes = [];
  let next = 0;
  const work = async () => {
    while (next < variants.length) {
      const index = next++;
      outcomes[index] = await load(variants[index]);
    }
  };
  for (const { cell } of variants) report(cell, 'loading', '', '');
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/** Asks past the browser's own cache. The times are the server's, in milliseconds by the part of its work. */
async function ask(url) {
  const response = await fetch(url, { cache: 'no-store' });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const timing = response.headers.get('Server-Timing') ?? '';
  return {
    picture: await response.blob(),
    outcome: outcomeOf(response.headers.get('Cache-Status') ?? ''),
    times: Object.fromEntries(
      Array.from(timing.matchAll(/(\w+);dur=([\d.]+)/g), ([, part, time]) => [part, Number(time)]),
    ),
  };
}

/** Loads one variant, and shows what the server's cache did. */
async function load({ url, cell, preview }) {
  try {
    const { picture, outcome, times } = await ask(url);
    const milliseconds = Object.values(times).reduce((sum, time) => sum + time, 0);
    display(cell.querySelector('img'), picture);
    if (preview) display(preview, picture);
    report(cell, outcome, formatTime(milliseconds), formatSize(picture.size));
    count(outcome === 'hit' ? 'hit' : 'miss', milliseconds);
    return outcome;
  } catch (error) {
    report(cell, 'failed', error.message, '');
    return 'failed';
  }
}

/** RFC 9211: `imgproxy-cache; hit`, `imgproxy-cache; fwd=miss; stored`, `imgproxy-cache; fwd=bypass`. */
function outcomeOf(cacheStatus) {
  const members = cacheStatus.split(';').map((member) => member.trim());
  if (members.includes('hit')) return 'hit';
  return members.includes('fwd=bypass') ? 'bypass' : 'miss';
}

function display(image, picture) {
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
}

function report(cell, outcome, time, size) {
  cell.dataset.outcome = outcome;
  cell.querySelector('.outcome').textContent = outcome;
  cell.querySelector('.time').textContent = time;
  cell.querySelector('.size').textContent = size;
}

function count(kind, milliseconds) {
  times[kind].push(milliseconds);
  element('hits').textContent = times.hit.length;
  element('misses').textContent = times.miss.length;
  element('hit-time').textContent = formatTime(median(times.hit));
  element('miss-time').textContent = formatTime(median(times.miss));
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function formatTime(milliseconds) {
  if (milliseconds === undefined) return '–';
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

function formatSize(bytes) {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KB`;
}
