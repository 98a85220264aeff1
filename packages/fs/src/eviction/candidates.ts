import type { FoundFile } from './folder-walk.js';

const CAPACITY = 1024;
// The oldest of fewer is no good estimate of the oldest of all.
const MIN_SAMPLE = 128;

/** An examined entry and its last use, in milliseconds since the Unix epoch. */
export interface Candidate {
  readonly file: FoundFile;
  readonly usedAt: number;
}

/**
 * The least recently used of the examined entries: all of a cache of up to 1,024 entries, else the oldest 1,024. Each
 * examined entry earns a share of one eviction.
 */
export class Candidates {
  readonly #byPath = new Map<string, Candidate>();
  #credit = 0;
  #isWalked = false;

  /** @param share evictions earned by this entry. */
  add(candidate: Candidate, share: number): void {
    this.#byPath.set(candidate.file.path, candidate);
    this.#credit = Math.min(CAPACITY, this.#credit + share);
    if (this.#byPath.size > CAPACITY) this.#remove((usedAt, than) => usedAt > than);
  }

  /** Notes that a walk has examined every entry. */
  endOfWalk(): void {
    this.#isWalked = true;
    this.#credit = Math.max(1, this.#credit);
  }

  /** Removes and returns the oldest; `undefined` until more entries are examined. */
  take(): Candidate | undefined {
    if (this.#credit < 1 || (!this.#isWalked && this.#byPath.size < MIN_SAMPLE)) return undefined;
    const oldest = this.#remove((usedAt, than) => usedAt < than);
    if (oldest !== undefined) this.#credit -= 1;
    return oldest;
  }

  /** Refunds {@link take} for a candidate that was not evicted. */
  refund(): void {
    this.#credit += 1;
  }

  #remove(isPreferred: (usedAt: number, than: number) => boolean): Candidate | undefined {
    let found: Candidate | undefined;
    for (const candidate of this.#byPath.values()) {
      if (found === undefined || isPreferred(candidate.usedAt, found.usedAt)) found = candidate;
    }
    if (found !== undefined) this.#byPath.delete(found.file.path);
    return found;
  }
}
