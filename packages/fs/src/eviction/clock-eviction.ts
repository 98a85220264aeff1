import type { Clock } from '@imgproxy-cache/core/driver';
import { type CacheLayout, parentOf } from '../cache-layout.js';
import type { FolderTree } from '../folder-tree.js';
import { lstat, unlink } from '../fs-calls.js';
import { unlessAbsent } from '../fs-errors.js';
import { type Candidate, Candidates } from './candidates.js';
import type { EntryUses } from './entry-uses.js';
import { FolderWalk, type FoundFile, type OnFailure } from './folder-walk.js';
import { inspectEntry, OwnEntries } from './own-entries.js';

/** How fast an eviction proceeds. */
export interface Pace {
  /** Concurrent walkers. */
  readonly lanes: number;
  /** Evicted entries per entry examined. A smaller share picks older entries. */
  readonly share: number;
}

/** Receives the size of each evicted entry, in bytes. */
export type OnEvicted = (bytes: number) => void;

// The second walk can evict candidates of the first.
const MAX_FRUITLESS_WALKS = 2;
const MAX_FAILURES = 16;
// In milliseconds.
const LONGEST_CALL = 50;

type Lane = AsyncGenerator<FoundFile, void, undefined>;

/** What {@link ClockEviction} works on. */
export interface ClockEvictionOptions {
  readonly layout: CacheLayout;
  readonly folders: FolderTree;
  readonly uses: EntryUses;
  readonly clock: Clock;
  readonly onFailure: OnFailure;
}

/**
 * Clock eviction: an approximation of LRU. It examines entries in a walk that resumes where it stopped, and evicts
 * the least recently used of those it has seen.
 */
export class ClockEviction {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #uses: EntryUses;
  readonly #clock: Clock;
  readonly #onFailure: OnFailure;
  readonly #own: OwnEntries;
  readonly #candidates = new Candidates();
  #walk: FolderWalk;
  #lanes: Lane[] = [];
  // Both since the last eviction.
  #fruitlessWalks = 0;
  #failures = 0;

  constructor({ layout, folders, uses, clock, onFailure }: ClockEvictionOptions) {
    this.#layout = layout;
    this.#folders = folders;
    this.#uses = uses;
    this.#clock = clock;
    this.#onFailure = onFailure;
    this.#own = new OwnEntries(onFailure);
    this.#walk = new FolderWalk(layout, folders, onFailure);
  }

  /**
   * Evicts entries of `bytes` in total, or for 50 ms. Calls must not overlap.
   * @returns `nothing-evictable` if a whole walk evicted nothing, or 16 removals in a row failed.
   */
  async free(
    bytes: number,
    { lanes, share }: Pace,
    signal: AbortSignal,
    onEvicted: OnEvicted,
  ): Promise<'some' | 'nothing-evictable'> {
    const end = this.#clock.monotonic() + LONGEST_CALL;
    // Freed, or about to be by another lane.
    let claimed = 0;
    const isOver = (): boolean =>
      claimed >= bytes || this.#isNothingEvictable() || signal.aborted || this.#clock.monotonic() > end;
    const evictOldest = async (): Promise<boolean> => {
      const candidate = this.#candidates.take();
      if (candidate === undefined) return false;
      claimed += candidate.bytes;
      if (await this.#attempt(candidate)) {
        onEvicted(candidate.bytes);
      } else {
        claimed -= candidate.bytes;
        this.#candidates.refund();
      }
      return true;
    };
    const takeLane = async (lane: Lane): Promise<boolean> => {
      while (!isOver()) {
        if (await evictOldest()) continue;
        const { value: file } = await lane.next();
        if (file === undefined) return false;
        await this.#note(file, share);
      }
      return true;
    };
    while (!isOver()) {
      while (this.#lanes.length < lanes) this.#lanes.push(this.#walk.lane(signal));
      const taken = this.#lanes.slice(0, lanes);
      const unfinished = await Promise.all(taken.map(takeLane));
      this.#lanes = this.#lanes.filter((_lane, index) => unfinished[index] ?? true);
      if (this.#lanes.length === 0) this.#beginWalk();
    }
    if (!this.#isNothingEvictable()) return 'some';
    this.#fruitlessWalks = 0;
    this.#failures = 0;
    return 'nothing-evictable';
  }

  #isNothingEvictable(): boolean {
    return this.#fruitlessWalks >= MAX_FRUITLESS_WALKS || this.#failures >= MAX_FAILURES;
  }

  #beginWalk(): void {
    this.#walk = new FolderWalk(this.#layout, this.#folders, this.#onFailure);
    this.#candidates.endOfWalk();
    this.#fruitlessWalks += 1;
  }

  /** Abandons the walk. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.return()));
    this.#lanes = [];
  }

  /** Notes an entry that this process has just stored. */
  noteStored(name: string, bytes: number): void {
    const path = this.#layout.path(this.#layout.folderPlace(name));
    this.#candidates.addStored({ name, path, bytes, usedAt: this.#clock.now(), isOwn: true });
  }

  async #note(file: FoundFile, share: number): Promise<void> {
    if (!(await this.#own.include(file))) return;
    const usedAt = await this.#uses.lastUse(file.path, file.usedAt);
    this.#candidates.addExamined({ ...file, usedAt, isOwn: false }, share);
  }

  async #attempt(candidate: Candidate): Promise<boolean> {
    try {
      if (!(await this.#evict(candidate))) return false;
      this.#fruitlessWalks = 0;
      this.#failures = 0;
      return true;
    } catch (error) {
      this.#failures += 1;
      this.#onFailure(error, candidate.path);
      return false;
    }
  }

  /** Evicts an entry unless it has been used, replaced or removed since. */
  async #evict(candidate: Candidate): Promise<boolean> {
    const { name, path, bytes, usedAt, isOwn } = candidate;
    // A name alone is no proof, and other programs' files must stay: what others have stored is read.
    const stats = await (isOwn ? unlessAbsent(lstat(path)) : inspectEntry(candidate));
    if (!stats?.isFile()) return false;
    const lastUse = await this.#uses.lastUse(path, stats.mtimeMs);
    if (stats.size !== bytes || lastUse > usedAt) {
      this.#candidates.putBack({ name, path, bytes: stats.size, usedAt: lastUse, isOwn: false });
      return false;
    }
    if (!(await unlessAbsent(unlink(path).then(() => true)))) return false;
    this.#uses.forget(path);
    this.#uses.adaptTo(this.#clock.now() - usedAt);
    await this.#folders.removeEmpty(parentOf(this.#layout.place(name)));
    return true;
  }
}
