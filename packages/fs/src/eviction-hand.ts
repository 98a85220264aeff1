import type { Clock } from '@imgproxy-cache/core/driver';
import { unlessAbsent } from './absence.js';
import { AgeSample } from './age-sample.js';
import { type CacheLayout, parentOf } from './cache-layout.js';
import type { EntryUses } from './entry-uses.js';
import type { FolderTree } from './folder-tree.js';
import { FolderWalk, type FoundFile, type ReportTrouble } from './folder-walk.js';
import { unlink } from './fs-calls.js';
import { isEntryFile, OwnEntries } from './own-entries.js';

/** How much an eviction hurries. */
export interface Haste {
  /** Files looked at at a time. */
  readonly lanes: number;
  /** Which part of the entries counts as old enough to go: the smaller, the more are looked at for one that goes. */
  readonly share: number;
}

/** Receives the size of each entry that went. */
export type OnEvicted = (bytes: number) => void;

// In the second walk what the first has learned about ages holds for all.
const MAX_VAIN_WALKS = 2;
const MAX_FAILURES = 16;
// In milliseconds.
const LONGEST_CALL = 50;

type Lane = AsyncGenerator<FoundFile, void, undefined>;

/**
 * Evicts entries that are among the least recently used, as a clock's hand that goes round: it looks at one entry
 * after the other, stays where it stopped, and compares each with the sample of those seen last.
 */
export class EvictionHand {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #uses: EntryUses;
  readonly #clock: Clock;
  readonly #report: ReportTrouble;
  readonly #own = new OwnEntries();
  readonly #ages = new AgeSample();
  #walk: FolderWalk;
  #lanes: Lane[] = [];
  #vainWalks = 0;

  constructor(
    layout: CacheLayout,
    folders: FolderTree,
    uses: EntryUses,
    clock: Clock,
    report: ReportTrouble,
  ) {
    this.#layout = layout;
    this.#folders = folders;
    this.#uses = uses;
    this.#clock = clock;
    this.#report = report;
    this.#walk = new FolderWalk(layout, folders, report);
  }

  /**
   * Evicts until `bytes` are free, but no longer than it takes to look how things stand. One call at a time.
   * @param onEvicted receives the size of each entry that went.
   * @returns `vain` where all entries were looked at and none went, or too many could not be removed.
   */
  async free(
    bytes: number,
    { lanes, share }: Haste,
    signal: AbortSignal,
    onEvicted: OnEvicted,
  ): Promise<'some' | 'vain'> {
    const end = this.#clock.monotonic() + LONGEST_CALL;
    let freed = 0;
    let failures = 0;
    const isOver = (): boolean =>
      freed >= bytes || failures >= MAX_FAILURES || signal.aborted || this.#clock.monotonic() > end;
    const takeLane = async (lane: Lane): Promise<boolean> => {
      while (!isOver()) {
        const { value: file } = await lane.next();
        if (file === undefined) return false;
        try {
          if (!(await this.#evict(file, share))) continue;
          freed += file.bytes;
          this.#vainWalks = 0;
          onEvicted(file.bytes);
        } catch (error) {
          failures += 1;
          this.#report(error, file.path);
        }
      }
      return true;
    };
    while (!isOver() && this.#vainWalks < MAX_VAIN_WALKS) {
      while (this.#lanes.length < lanes) this.#lanes.push(this.#walk.lane());
      const taken = this.#lanes.slice(0, lanes);
      const unfinished = await Promise.all(taken.map(takeLane));
      this.#lanes = this.#lanes.filter((_lane, index) => unfinished[index] ?? true);
      if (this.#lanes.length === 0) this.#beginWalk();
    }
    const isVain = failures >= MAX_FAILURES || this.#vainWalks >= MAX_VAIN_WALKS;
    if (isVain) this.#vainWalks = 0;
    return isVain ? 'vain' : 'some';
  }

  #beginWalk(): void {
    this.#walk = new FolderWalk(this.#layout, this.#folders, this.#report);
    this.#ages.endOfWalk();
    this.#vainWalks += 1;
  }

  /** Gives up the walk. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.return()));
    this.#lanes = [];
  }

  /** Evicts the entry if it is old enough. */
  async #evict(file: FoundFile, share: number): Promise<boolean> {
    if (!(await this.#own.include(file))) return false;
    const usedAt = await this.#uses.lastUse(file.path, file.usedAt);
    this.#ages.add(usedAt);
    const oldest = this.#ages.oldest(share);
    if (oldest === undefined || usedAt > oldest) return false;
    this.#uses.adaptTo(this.#clock.now() - oldest);
    // Looks are not enough here: no file of somebody else's may go.
    if (!(await isEntryFile(file))) return false;
    if (!(await unlessAbsent(unlink(file.path).then(() => true)))) return false;
    this.#uses.forget(file.path);
    if (file.last) await this.#folders.removeEmpty(parentOf(this.#layout.place(file.name)));
    return true;
  }
}
