import { describeLoad } from '../host/host.js';
import { Findings, inLanes, type Judgement, type SoakResult, Tally } from '../soak.js';
import { HOST_FAULTS } from './store-faults.js';
import { type CellResult, describeCell, runCell, type TableCell, type TableSettings } from './table-cell.js';
import { cutLater, figuresOf, type Share, slowerLater, tableOf } from './table-figures.js';

/** A cell by what it is made of. */
export type CellName = readonly [fault: string, wire: TableCell['wire'], hits: number, rendering: number];

/** The cells of a short run: every fault once, and all circumstances among them. */
export const BRIEF_CELLS: readonly CellName[] = [
  ['no answer', 'http', 1, 4],
  ['bodies hang', 'https', 1, 4],
  ['bodies hang', 'http', 0.1, 300],
  ['a quarter of the bodies hang', 'http', 0.45, 4],
  ['half of the answers are 503', 'http', 0.45, 4],
  ['bodies over 1 MiB hang after 300 KB', 'http', 1, 4],
  ['slow link (20 KB a second)', 'https', 0.45, 4],
  ['refused', 'http', 1, 300],
  ['reset', 'https', 0.45, 300],
  ['stopped (SIGSTOP)', 'http', 0.1, 4],
  ['absent at start', 'http', 1, 4],
  ['a name with a dead address', 'https', 1, 300],
];

/** The cache with its defaults. */
export const FULL_TABLE: TableSettings = {
  deadlines: { lookup: 1000, silence: 10_000 },
  duration: 12_000,
  rate: 60,
  patience: 60_000,
  recoveryPatience: 60_000,
  // The three failures that open a breaker, and the requests that wait meanwhile.
  fewSlow: 5,
  env: {},
};

/** The same in a fraction of the time. */
export const BRIEF_TABLE: TableSettings = {
  deadlines: { lookup: 400, silence: 1000 },
  duration: 3000,
  rate: 60,
  patience: 10_000,
  recoveryPatience: 60_000,
  // So soon few entries are known to a probe: it may succeed by chance, and the breaker open a second time.
  fewSlow: 10,
  env: {
    IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.4',
    IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '2',
    IMGPROXY_CACHE_S3_IDLE_TIMEOUT_SECONDS: '1',
    IMGPROXY_CACHE_BREAKER_WINDOW_SECONDS: '2',
    IMGPROXY_CACHE_BREAKER_RETRY_SECONDS: '0.2',
    IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '1',
  },
};

/** Cells at a time: each waits most of the time. */
const LANES = 3;
/**
 * How long after a fault's end all must be well, in milliseconds: past the longest pause of a breaker, 10 s, and the 30 s
 * for which an entry that could not be read is rendered anew.
 */
const RECOVERY = 45_000;

const ALL_CELLS: readonly TableCell[] = [4, 300].flatMap((rendering) =>
  HOST_FAULTS.flatMap((fault) =>
    (['http', 'https'] as const).flatMap((wire) =>
      [0.1, 0.45, 1].map((hits) => ({ fault, wire, hits, rendering })),
    ),
  ),
);

export interface TableOptions {
  readonly seed: number;
  /** By default all. */
  readonly cells?: readonly CellName[] | undefined;
  readonly settings: TableSettings;
  progress(text: string): void;
}

/** What faults of its store cost the clients of a host, and how it recovers. */
export async function runFaultTable({ seed, cells, settings, progress }: TableOptions): Promise<SoakResult> {
  const names = cells?.map((name) => name.join());
  const wanted = ALL_CELLS.filter(
    ({ fault, wire, hits, rendering }) => names?.includes([fault.name, wire, hits, rendering].join()) ?? true,
  );
  const done: CellResult[] = new Array(wanted.length);
  const left = [...wanted.entries()];
  await inLanes(LANES, async () => {
    const [index, cell] = left.shift() ?? [];
    if (index === undefined || cell === undefined) return false;
    const result = await runCell(cell, seed + index, settings);
    done[index] = result;
    progress(Object.values(figuresOf(result, settings)).join('; '));
    return true;
  });
  const tally = new Tally();
  for (const { fault, pairs } of done) {
    for (const { cached } of pairs)
      tally.add(fault.name, cached.end === 'whole' ? cached.status : cached.end);
  }
  const figures = done.map((cell) => figuresOf(cell, settings));
  return {
    outcomes: tally.outcomes(),
    judgements: judgeCells(done, settings),
    appendix: tableOf(figures),
    figures,
  };
}

function judgeCells(cells: readonly CellResult[], settings: TableSettings): Judgement[] {
  const requests = cells.reduce((sum, { pairs }) => sum + pairs.length, 0);
  const judge = (name: string, problemsOf: (cell: CellResult) => readonly string[]): Judgement => {
    const findings = new Findings();
    for (const cell of cells) {
      findings.add(...problemsOf(cell).map((problem) => `${describeCell(cell)}: ${problem}`));
    }
    return findings.judge(name, `${requests} requests in ${cells.length} cells`);
  };
  const tooMany = ({ count, of, allowed }: Share, what: string): string[] =>
    count > allowed ? [`${count} of ${of} were ${what}, and ${allowed} may be`] : [];
  return [
    judge('every request is answered', ({ pairs }) => {
      if (pairs.length === 0) return ['the host has not started'];
      const failed = pairs.filter(({ cached }) => cached.end === 'failed');
      return failed.map(({ at, cached }) => `after ${Math.round(at)} ms: ${cached.status.slice(0, 200)}`);
    }),
    judge('no wrong image is served', ({ pairs }) =>
      pairs.flatMap(({ cached, plain }) => [cached.problem ?? [], plain.problem ?? []].flat()),
    ),
    judge('a store in trouble makes at most 1 % slower by 100 ms', (cell) =>
      tooMany(slowerLater(cell, settings), 'slower'),
    ),
    judge('a store in trouble cuts at most 1 % of the answers', (cell) =>
      tooMany(cutLater(cell, settings), 'cut'),
    ),
    judge('it recovers by itself', ({ recovery }) => {
      if (recovery === undefined) return ['not while it was waited for'];
      return recovery <= RECOVERY ? [] : [`after ${(recovery / 1000).toFixed(1)} s`];
    }),
    judge('a closed cache is busy with nothing', ({ left }) =>
      left === undefined ? ['the host has died'] : [describeLoad(left) ?? []].flat(),
    ),
  ];
}
