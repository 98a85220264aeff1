import type { Clock } from '@imgproxy-cache/core/driver';
import type { CacheLayout } from '../cache-layout.js';
import type { EntryWriter } from '../entry-writer.js';
import type { FolderTree } from '../folder-tree.js';
import { lstat, readText } from '../fs-calls.js';
import { unlessAbsent } from '../fs-errors.js';
import { FolderWalk, type OnFailure } from './folder-walk.js';
import { Lease } from './lease.js';
import { OwnEntries } from './own-entries.js';
import type { Tallies, Tally, UsageTallies } from './usage-tallies.js';

// The next count waits for this many times the duration of the last: counting takes about 1 % of one thread.
const RECOUNT_FACTOR = 100;
const MIN_RECOUNT_INTERVAL = 10 * 1000;
// A count is rough, and repeated soon, if more than this share of the cache changed during it.
const ROUGH_SHARE = 1 / 50;
const ROUGH_RECOUNT_FACTOR = 5;
const MIN_ROUGH_RECOUNT_INTERVAL = 1000;
// More would starve requests of the threads of Node's pool.
const LANES = 2;

/** The result of a count, shared with all processes in a file. */
interface Count {
  readonly bytes: number;
  readonly entries: number;
  /** Milliseconds since the Unix epoch. */
  readonly countedAt: number;
  /** Duration in milliseconds. */
  readonly took: number;
  /** Whether much was stored or removed during the count. */
  readonly rough: boolean;
  /** Growth per process that the count includes, in bytes. */
  readonly settled: Readonly<Record<string, number>>;
}

export interface KnownSize {
  readonly bytes: number;
  /** Processes that have stored something lately. */
  readonly processes: number;
  /** Whether a recount is due. */
  readonly due: boolean;
  /** Whether the count was rough. */
  readonly rough: boolean;
  /** When it was counted, in milliseconds since the Unix epoch. */
  readonly countedAt: number;
}

/** What {@link CacheSize} works on. */
export interface CacheSizeOptions {
  readonly layout: CacheLayout;
  readonly folders: FolderTree;
  readonly writer: EntryWriter;
  readonly tallies: UsageTallies;
  readonly clock: Clock;
}

/**
 * The size of all entries of all processes, in bytes: the last count of the whole tree plus the tallies published
 * since. Changes by other programs and by killed processes are missing until the next count.
 */
export class CacheSize {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #writer: EntryWriter;
  readonly #tallies: UsageTallies;
  readonly #clock: Clock;
  readonly #place: string;
  readonly #lease: Lease;
  // Identifies the file that `#count` was parsed from: each count is a new file.
  #countFile: string | undefined;
  #count: Count | undefined;

  constructor({ layout, folders, writer, tallies, clock }: CacheSizeOptions) {
    this.#layout = layout;
    this.#folders = folders;
    this.#writer = writer;
    this.#tallies = tallies;
    this.#clock = clock;
    this.#place = `${layout.temporaryFolder}/size`;
    this.#lease = new Lease(layout.path(`${layout.temporaryFolder}/counting`), clock);
  }

  /** `undefined` before the first count. @throws the operating system's errors. */
  async read(): Promise<KnownSize | undefined> {
    const count = await this.#readCount();
    if (count === undefined) return undefined;
    const tallies = await this.#tallies.read();
    const { rough, countedAt } = count;
    let { bytes } = count;
    for (const [process, { grown }] of tallies) bytes += grown - (count.settled[process] ?? 0);
    const interval = rough
      ? Math.max(MIN_ROUGH_RECOUNT_INTERVAL, count.took * ROUGH_RECOUNT_FACTOR)
      : Math.max(MIN_RECOUNT_INTERVAL, count.took * RECOUNT_FACTOR);
    const due = Math.abs(this.#clock.now() - countedAt) >= interval;
    return { bytes: Math.max(0, bytes), processes: Math.max(1, tallies.size), due, rough, countedAt };
  }

  async #readCount(): Promise<Count | undefined> {
    const path = this.#layout.path(this.#place);
    const stats = await unlessAbsent(lstat(path));
    if (stats === undefined) return undefined;
    const file = `${stats.ino} ${stats.mtimeMs}`;
    if (file !== this.#countFile) {
      this.#count = parseCount(await unlessAbsent(readText(path)));
      this.#countFile = file;
    }
    return this.#count;
  }

  /**
   * Counts, unless another process is counting.
   * @returns `undefined` if another process is counting or the signal aborted the count.
   */
  async count(signal: AbortSignal, onFailure: OnFailure): Promise<Count | undefined> {
    if (!(await this.#lease.acquire())) return undefined;
    try {
      return await this.#countAlone(signal, onFailure);
    } finally {
      await this.#lease.release();
    }
  }

  async #countAlone(signal: AbortSignal, onFailure: OnFailure): Promise<Count | undefined> {
    const began = this.#clock.monotonic();
    await this.#tallies.publish();
    const before = await this.#tallies.read();
    const found = await this.#walk(signal, onFailure);
    if (found === undefined) return undefined;
    await this.#tallies.publish();
    const after = await this.#tallies.read();
    // A walk in random order sees half of what is stored or removed while it runs.
    const bytes = Math.max(0, Math.round(found.bytes + (sumOf(after, 'grown') - sumOf(before, 'grown')) / 2));
    const count: Count = {
      bytes,
      entries: found.entries,
      countedAt: this.#clock.now(),
      took: Math.round(this.#clock.monotonic() - began),
      rough: sumOf(after, 'moved') - sumOf(before, 'moved') > bytes * ROUGH_SHARE,
      settled: Object.fromEntries([...after].map(([process, { grown }]) => [process, grown])),
    };
    await this.#writer.write(this.#place, [Buffer.from(`${JSON.stringify(count)}\n`)], signal);
    await this.#tallies.removeSettled(after, this.#clock.now());
    return count;
  }

  async #walk(
    signal: AbortSignal,
    onFailure: OnFailure,
  ): Promise<{ bytes: number; entries: number } | undefined> {
    const walk = new FolderWalk(this.#layout, this.#folders, onFailure);
    const own = new OwnEntries(onFailure);
    let bytes = 0;
    let entries = 0;
    const takeLane = async (): Promise<void> => {
      for await (const file of walk.lane(signal)) {
        if (signal.aborted) return;
        if (await own.include(file)) {
          bytes += file.bytes;
          entries += 1;
        }
        await this.#lease.renew();
      }
    };
    await Promise.all(Array.from({ length: LANES }, takeLane));
    return signal.aborted ? undefined : { bytes, entries };
  }
}

function sumOf(tallies: Tallies, what: keyof Tally): number {
  let sum = 0;
  for (const tally of tallies.values()) sum += tally[what];
  return sum;
}

/** `undefined` for a file that holds no count. */
function parseCount(text: string | undefined): Count | undefined {
  if (text === undefined) return undefined;
  try {
    const { bytes, entries, countedAt, took, rough, settled } = JSON.parse(text);
    const numbers = [bytes, entries, countedAt, took, ...Object.values(settled)];
    if (!numbers.every(Number.isSafeInteger)) return undefined;
    return { bytes, entries, countedAt, took, rough: rough === true, settled };
  } catch {
    return undefined;
  }
}
