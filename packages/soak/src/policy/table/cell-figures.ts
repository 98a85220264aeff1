import { median, quantile } from '../latencies.js';
import type { Seen } from './http-client.js';
import type { CellResult, TableSettings } from './table-cell.js';
import type { Pair } from './table-traffic.js';

/** By how much a request may be slower than one without the cache, in milliseconds. */
const SLOWER = 100;
/** Over how long the share of the slow ones is taken, and how far apart such times begin, in milliseconds. */
const WINDOW = 10_000;
const STEP = 1000;
/** How many may always be: a short run has few requests, and the first failures of a fault come in the long one, too. */
const FEW = 5;
const ALLOWED = 0.01;

/** What the table shows of a cell. Times in milliseconds, shares from 0 to 1. */
export interface CellFigures {
  readonly fault: string;
  readonly wire: string;
  readonly hits: number;
  readonly rendering: number;
  readonly requests: number;
  /** Without the cache, to the first byte. */
  readonly plainMedian: number;
  readonly plainP99: number;
  readonly firstMedian: number;
  readonly firstP99: number;
  readonly wholeMedian: number;
  readonly wholeP99: number;
  /** Share of all requests that were slower by 100 ms to the first byte. */
  readonly slower: number;
  /** The same in the worst ten seconds after the first deadline. */
  readonly slowerLater: number;
  /** Share of the requests after the first deadline whose answers were cut. */
  readonly cutLater: number;
  readonly failed: number;
  readonly recovery: number | undefined;
}

/** How many of some requests something is true of, and how many of them may be. */
export interface Share {
  readonly count: number;
  readonly of: number;
  readonly allowed: number;
}

export function figuresOf(cell: CellResult, settings: TableSettings): CellFigures {
  const { fault, wire, hits, rendering, pairs, recovery } = cell;
  const plain = pairs.map((pair) => pair.plain.first);
  const first = pairs.map(({ cached }) => cached.first);
  const whole = pairs.map(({ cached }) => cached.whole);
  return {
    fault: fault.name,
    wire,
    hits,
    rendering,
    requests: pairs.length,
    plainMedian: median(plain),
    plainP99: quantile(plain, 0.99),
    firstMedian: median(first),
    firstP99: quantile(first, 0.99),
    wholeMedian: median(whole),
    wholeP99: quantile(whole, 0.99),
    slower: ratio(shareOf(pairs, isSlower)),
    slowerLater: ratio(slowerLater(cell, settings)),
    cutLater: ratio(cutLater(cell, settings)),
    failed: pairs.filter(({ cached }) => cached.end === 'failed').length,
    recovery,
  };
}

/** The slow requests of the worst ten seconds that begin after the first deadline. */
export function slowerLater(cell: CellResult, settings: TableSettings): Share {
  const from = settings.deadlines[cell.fault.deadline];
  const last = Math.max(from, from + settings.duration - WINDOW);
  let worst: Share = { count: 0, of: 0, allowed: Number.POSITIVE_INFINITY };
  for (let begin = from; begin <= last; begin += STEP) {
    const within = cell.pairs.filter(({ at }) => at >= begin && at < begin + WINDOW);
    // What a busy machine does to requests without the cache it does to those through it, at other moments.
    const late = within.filter(({ plain }) => plain.first - cell.rendering > SLOWER).length;
    const share = shareOf(within, isSlower, late);
    if (share.count - share.allowed > worst.count - worst.allowed) worst = share;
  }
  return worst;
}

/** The requests after the first deadline whose answers began and did not end well. */
export function cutLater({ pairs, fault }: CellResult, { deadlines }: TableSettings): Share {
  const later = pairs.filter(({ at }) => at >= deadlines[fault.deadline]);
  return shareOf(later, ({ cached }) => cached.end === 'cut');
}

/** All answers of a cell, with and without the cache. */
export function answersOf({ pairs }: CellResult): Seen[] {
  return pairs.flatMap(({ cached, plain }) => [cached, plain]);
}

function isSlower({ cached, plain }: Pair): boolean {
  return cached.first - plain.first > SLOWER;
}

function shareOf(pairs: readonly Pair[], is: (pair: Pair) => boolean, byChance = 0): Share {
  const allowed = Math.max(FEW, Math.floor(ALLOWED * pairs.length)) + byChance;
  return { count: pairs.filter(is).length, of: pairs.length, allowed };
}

function ratio({ count, of }: Share): number {
  return of === 0 ? 0 : count / of;
}
