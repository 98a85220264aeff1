import type { Seen } from '../host/host.js';
import { quantile } from '../memory.js';
import type { CellResult, Pair, TableSettings } from './table-cell.js';

/** A request is slow where its first byte comes so many milliseconds later than that of its twin without the cache. */
const SLOWER = 100;
/** The share of slow requests is taken over windows of this length, which begin this far apart, in milliseconds. */
const WINDOW = 10_000;
const STEP = 1000;
const FEW_CUT = 5;
const ALLOWED = 0.01;

/** How many of some requests something is true of, and of how many it may be. */
export interface Share {
  readonly count: number;
  readonly of: number;
  readonly allowed: number;
}

/** The slow requests of the worst ten seconds after the first deadline. */
export function slowerLater({ pairs, fault, rendering }: CellResult, settings: TableSettings): Share {
  const from = settings.deadlines[fault.deadline];
  const last = Math.max(from, from + settings.duration - WINDOW);
  let worst: Share = { count: 0, of: 0, allowed: Number.POSITIVE_INFINITY };
  for (let begin = from; begin <= last; begin += STEP) {
    const within = pairs.filter(({ at }) => at >= begin && at < begin + WINDOW);
    // A busy machine delays requests with and without the cache alike, but not at the same moments.
    const late = within.filter(({ plain }) => plain.first - rendering > SLOWER).length;
    const share = shareOf(within, isSlower, settings.fewSlow, late);
    if (share.count - share.allowed > worst.count - worst.allowed) worst = share;
  }
  return worst;
}

/** The requests after the first deadline whose answers began and did not end well. */
export function cutLater({ pairs, fault }: CellResult, { deadlines }: TableSettings): Share {
  const later = pairs.filter(({ at }) => at >= deadlines[fault.deadline]);
  return shareOf(later, ({ cached }) => cached.end === 'cut', FEW_CUT);
}

function isSlower({ cached, plain }: Pair): boolean {
  return cached.first - plain.first > SLOWER;
}

function shareOf(pairs: readonly Pair[], is: (pair: Pair) => boolean, few = 0, more = 0): Share {
  const allowed = Math.max(few, Math.floor(ALLOWED * pairs.length)) + more;
  return { count: pairs.filter(is).length, of: pairs.length, allowed };
}

type Column = readonly [title: string, cellOf: (cell: CellResult, settings: TableSettings) => string];

const percent = ({ count, of }: Share): string => (count === 0 ? '0' : ((count / of) * 100).toFixed(1));
const spread = (
  { pairs }: CellResult,
  kind: 'cached' | 'plain',
  time: keyof Seen & ('first' | 'whole'),
): string =>
  [0.5, 0.99]
    .map((share) =>
      quantile(
        pairs.map((pair) => pair[kind][time]),
        share,
      ).toFixed(1),
    )
    .join(' / ');

const COLUMNS: readonly Column[] = [
  ['fault', ({ fault }) => fault.name],
  ['wire', ({ wire }) => wire],
  ['hits, %', ({ hits }) => (hits * 100).toFixed(0)],
  ['rendering, ms', ({ rendering }) => String(rendering)],
  ['without the cache p50 / p99, ms', (cell) => spread(cell, 'plain', 'first')],
  ['first byte p50 / p99, ms', (cell) => spread(cell, 'cached', 'first')],
  ['whole body p50 / p99, ms', (cell) => spread(cell, 'cached', 'whole')],
  ['slower by 100 ms, %', ({ pairs }) => percent(shareOf(pairs, isSlower))],
  ['in the worst 10 s after the first deadline, %', (cell, settings) => percent(slowerLater(cell, settings))],
  ['cut after it, %', (cell, settings) => percent(cutLater(cell, settings))],
  ['failed', ({ pairs }) => String(pairs.filter(({ cached }) => cached.end === 'failed').length)],
  [
    'well again after, s',
    ({ recovery }) => (recovery === undefined ? 'never' : (recovery / 1000).toFixed(1)),
  ],
];

/** The row of a cell, by column. */
export function figuresOf(cell: CellResult, settings: TableSettings): Readonly<Record<string, string>> {
  return Object.fromEntries(COLUMNS.map(([title, cellOf]) => [title, cellOf(cell, settings)]));
}

/** The table of faults as Markdown. */
export function tableOf(rows: readonly Readonly<Record<string, string>>[]): string {
  const titles = COLUMNS.map(([title]) => title);
  const lines = [titles, titles.map(() => '---'), ...rows.map((row) => titles.map((title) => row[title]))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
