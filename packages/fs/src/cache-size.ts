import type { Clock } from '@imgproxy-cache/core/driver';
import { unlessAbsent } from './absence.js';
import type { AtomicWriter } from './atomic-write.js';
import type { CacheLayout } from './cache-layout.js';
import type { FolderTree } from './folder-tree.js';
import { FolderWalk, type ReportTrouble } from './folder-walk.js';
import { lstat, readText } from './fs-calls.js';
import { Lease } from './lease.js';
import { OwnEntries } from './own-entries.js';
import type { Tallies, Tally, UsageTallies } from './usage-tallies.js';

// A count is made anew after this many times what it took, so that it costs about 1 % of one thread.
const REST = 100;
const SHORTEST_REST = 10 * 1000;
// What was counted while more than this part of it changed is a guess, and soon counted again.
const ROUGH_FROM = 1 / 50;
const REST_OF_ROUGH = 5;
const SHORTEST_REST_OF_ROUGH = 1000;
// More would keep requests from the few threads that Node has for files.
const LANES = 2;

/** What was counted, as it stands in a file for all processes. */
interface Count {
  readonly bytes: number;
  readonly entries: number;
  /** Milliseconds since the Unix epoch. */
  readonly countedAt: number;
  /** How long it took, in milliseconds. */
  readonly took: number;
  /** Whether much was stored or removed meanwhile. */
  readonly rough: boolean;
  /** The tallies whose bytes are in it. */
  readonly settled: Readonly<Record<string, number>>;
}

export interface KnownSize {
  readonly bytes: number;
  /** How many processes have stored something lately. */
  readonly processes: number;
  /** Whether it is time to count anew. */
  readonly due: boolean;
  /** Whether it will be soon. */
  readonly rough: boolean;
}

/**
 * How many bytes the entries of all processes take together: what was counted once in a walk over the whole tree, and
 * what each process has said since. Files that others change and processes that are killed make it wrong until the
 * next count.
 */
export class CacheSize {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #writer: AtomicWriter;
  readonly #tallies: UsageTallies;
  readonly #clock: Clock;
  readonly #place: string;
  readonly #lease: Lease;
  // Each count is a new file.
  #countFile: string | undefined;
  #count: Count | undefined;

  constructor(
    layout: CacheLayout,
    folders: FolderTree,
    writer: AtomicWriter,
    tallies: UsageTallies,
    clock: Clock,
  ) {
    this.#layout = layout;
    this.#folders = folders;
    this.#writer = writer;
    this.#tallies = tallies;
    this.#clock = clock;
    this.#place = `${layout.temporaryFolder}/size`;
    this.#lease = new Lease(layout.path(`${layout.temporaryFolder}/counting`), clock);
  }

  /** `undefined` where nobody has counted yet. @throws the operating system's errors. */
  async read(): Promise<KnownSize | undefined> {
    const count = await this.#readCount();
    if (count === undefined) return undefined;
    const tallies = await this.#tallies.read();
    const { rough } = count;
    let { bytes } = count;
    for (const [process, { grown }] of tallies) bytes += grown - (count.settled[process] ?? 0);
    const rest = rough
      ? Math.max(SHORTEST_REST_OF_ROUGH, count.took * REST_OF_ROUGH)
      : Math.max(SHORTEST_REST, count.took * REST);
    const due = Math.abs(this.#clock.now() - count.countedAt) >= rest;
    return { bytes: Math.max(0, bytes), processes: Math.max(1, tallies.size), due, rough };
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
   * Counts, unless another process does so already.
   * @returns what was counted, `undefined` if another process counts or the signal aborted it.
   */
  async count(signal: AbortSignal, report: ReportTrouble): Promise<Count | undefined> {
    if (!(await this.#lease.acquire())) return undefined;
    try {
      return await this.#countAlone(signal, report);
    } finally {
      await this.#lease.release();
    }
  }

  async #countAlone(signal: AbortSignal, report: ReportTrouble): Promise<Count | undefined> {
    const began = this.#clock.monotonic();
    await this.#tallies.publish();
    const before = await this.#tallies.read();
    const found = await this.#walk(signal, report);
    if (found === undefined) return undefined;
    await this.#tallies.publish();
    const after = await this.#tallies.read();
    // What is stored or removed while a walk in random order goes on has been seen by it half the time.
    const bytes = Math.max(0, Math.round(found.bytes + (sumOf(after, 'grown') - sumOf(before, 'grown')) / 2));
    const count: Count = {
      bytes,
      entries: found.entries,
      countedAt: this.#clock.now(),
      took: Math.round(this.#clock.monotonic() - began),
      rough: sumOf(after, 'moved') - sumOf(before, 'moved') > bytes * ROUGH_FROM,
      settled: Object.fromEntries([...after].map(([process, { grown }]) => [process, grown])),
    };
    await this.#writer.write(this.#place, [Buffer.from(`${JSON.stringify(count)}\n`)], signal);
    await this.#tallies.removeSettled(after, this.#clock.now());
    return count;
  }

  async #walk(
    signal: AbortSignal,
    report: ReportTrouble,
  ): Promise<{ bytes: number; entries: number } | undefined> {
    const walk = new FolderWalk(this.#layout, this.#folders, report);
    const own = new OwnEntries(report);
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

/** What others have written there is no count. */
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
