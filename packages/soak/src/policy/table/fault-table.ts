import type { SoakResult } from '../../soak.js';
import type { CacheUse } from '../caches.js';
import { DISK_FAULTS } from '../faults/disk-faults.js';
import { DRIVER_FAULTS } from '../faults/driver-faults.js';
import type { Fault } from '../faults/fault.js';
import { STORE_FAULTS } from '../faults/store-faults.js';
import { judgeRows, outcomesOf } from './table-judgements.js';
import { describeRow, tableOf } from './table-markdown.js';
import { runRow, type TableRow, type TableSettings } from './table-row.js';

/** Rows at a time: each waits most of the time. */
const LANES = 3;

const FAULTS: readonly Fault[] = [...DRIVER_FAULTS, ...STORE_FAULTS, ...DISK_FAULTS];

/** What of the table a short run does: every real fault once, and of each kind of a driver's one. */
const BRIEFLY: readonly (readonly [use: CacheUse, fault: string])[] = [
  ['memory', 'the driver fails'],
  ['memory', 'bodies are corrupt'],
  ['fs', 'look-ups take a fifth of their time'],
  ['memory,fs', 'stores are done and said to fail'],
  ['memory,s3', 'the driver hangs and heeds no signal'],
  ['s3', 'the store stands still (SIGSTOP)'],
  ['memory,s3', 'the store is killed'],
  ['s3', 'the store refuses connections'],
  ['memory,s3', 'the store answers 503'],
  ['s3', 'the network is cut'],
  ['fs', 'the disk is full'],
  ['memory,fs', 'no inode is left'],
  ['fs', 'the disk is read-only'],
  ['fs', 'reading and writing fail with EIO'],
];

export interface TableOptions {
  /** Which rows; by default all. */
  readonly rows?: (use: CacheUse, fault: string) => boolean;
  readonly settings: TableSettings;
  progress(text: string): void;
}

/** Whether a short run has a row. */
export function isBrief(use: CacheUse, fault: string): boolean {
  return BRIEFLY.some(([briefUse, briefFault]) => briefUse === use && briefFault === fault);
}

/** What faults cost the requests to every cache, and how it comes back. */
export async function runFaultTable({ rows, settings, progress }: TableOptions): Promise<SoakResult> {
  const wanted = FAULTS.flatMap((fault) =>
    fault.uses.filter((use) => rows?.(use, fault.name) ?? true).map((use) => ({ use, fault })),
  );
  const done: TableRow[] = new Array(wanted.length);
  const left = [...wanted.entries()];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, { use, fault }] = next;
      const row = await runRow(use, fault, settings);
      done[index] = row;
      progress(describeRow(row));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return {
    outcomes: outcomesOf(done),
    judgements: judgeRows(done, settings),
    appendix: tableOf(done),
  };
}
