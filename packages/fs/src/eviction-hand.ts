import type { Clock } from '@imgproxy-cache/core/driver';
import { unlessAbsent } from './absence.js';
import { type CacheLayout, parentOf } from './cache-layout.js';
import type { EntryUses } from './entry-uses.js';
import { type Candidate, EvictionCandidates } from './eviction-candidates.js';
import type { FolderTree } from './folder-tree.js';
import { FolderWalk, type FoundFile, type ReportTrouble } from './folder-walk.js';
import { lstat, unlink } from './fs-calls.js';
import { isEntryFile, OwnEntries } from './own-entries.js';

/** How much an eviction hurries. */
export interface Haste {
  /** Files looked at at a time. */
  readonly lanes: number;
  /** How many entries go for one that is looked at: the fewer, the more surely they are the oldest. */
  readonly share: number;
}

/** Receives the size of each entry that went. */
export type OnEvicted = (bytes: number) => void;

// In the second walk the candidates of the first are known.
const MAX_VAIN_WALKS = 2;
const MAX_FAILURES = 16;
// In milliseconds.
const LONGEST_CALL = 50;

type Lane = AsyncGenerator<FoundFile, void, undefined>;

/**
 * Evicts entries that are among the least recently used, as a clock's hand that goes round: it looks at one entry
 * after the other, stays where it stopped, and remembers the oldest that it has seen.
 */
export class EvictionHand {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #uses: EntryUses;
  readonly #clock: Clock;
  readonly #report: ReportTrouble;
  readonly #own: OwnEntries;
  readonly #candidates = new EvictionCandidates();
  #walk: FolderWalk;
  #lanes: Lane[] = [];
  // Since an entry went.
  #vainWalks = 0;
  #failures = 0;

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
    this.#own = new OwnEntries(report);
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
    // Freed, or about to be by another lane.
    let claimed = 0;
    const isOver = (): boolean =>
      claimed >= bytes || this.#isVain() || signal.aborted || this.#clock.monotonic() > end;
    const takeLane = async (lane: Lane): Promise<boolean> => {
      while (!isOver()) {
        const { value: file } = await lane.next();
        if (file === undefined) return false;
        await this.#note(file, share);
        while (!isOver()) {
          const candidate = this.#candidates.take();
          if (candidate === undefined) break;
          const size = candidate.file.bytes;
          claimed += size;
          if (await this.#attempt(candidate)) {
            onEvicted(size);
            break;
          }
          claimed -= size;
          this.#candidates.giveBack();
        }
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
    if (!this.#isVain()) return 'some';
    this.#vainWalks = 0;
    this.#failures = 0;
    return 'vain';
  }

  #isVain(): boolean {
    return this.#vainWalks >= MAX_VAIN_WALKS || this.#failures >= MAX_FAILURES;
  }

  #beginWalk(): void {
    this.#walk = new FolderWalk(this.#layout, this.#folders, this.#report);
    this.#candidates.endOfWalk();
    this.#vainWalks += 1;
  }

  /** Gives up the walk. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.return()));
    this.#lanes = [];
  }

  async #note(file: FoundFile, share: number): Promise<void> {
    if (!(await this.#own.include(file))) return;
    const usedAt = await this.#uses.lastUse(file.path, file.usedAt);
    this.#candidates.add({ file, usedAt }, share);
  }

  async #attempt(candidate: Candidate): Promise<boolean> {
    try {
      if (!(await this.#evict(candidate))) return false;
      this.#vainWalks = 0;
      this.#failures = 0;
      return true;
    } catch (error) {
      this.#failures += 1;
      this.#report(error, candidate.file.path);
      return false;
    }
  }

  /** Evicts an entry, if it is still what it was. */
  async #evict({ file, usedAt }: Candidate): Promise<boolean> {
    const stats = await unlessAbsent(lstat(file.path));
    if (stats === undefined || stats.mtimeMs !== file.usedAt || stats.size !== file.bytes) return false;
    if ((await this.#uses.lastUse(file.path, file.usedAt)) > usedAt) return false;
    // A look at the name is not enough here: no file of somebody else's may go.
    if (!(await isEntryFile(file))) return false;
    if (!(await unlessAbsent(unlink(file.path).then(() => true)))) return false;
    this.#uses.forget(file.path);
    this.#uses.adaptTo(this.#clock.now() - usedAt);
    await this.#folders.removeEmpty(parentOf(this.#layout.place(file.name)));
    return true;
  }
}
