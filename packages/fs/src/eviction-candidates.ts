import type { FoundFile } from './folder-walk.js';

const CAPACITY = 1024;
// The oldest of fewer need not be old.
const ENOUGH = 128;

/** An entry that was seen, and when it was used, in milliseconds since the Unix epoch. */
export interface Candidate {
  readonly file: FoundFile;
  readonly usedAt: number;
}

/**
 * The least recently used of the entries that were seen. Of a cache of up to 1,024 entries it knows all; of a larger
 * one the oldest, and gives out one for several that were seen.
 */
export class EvictionCandidates {
  readonly #byPath = new Map<string, Candidate>();
  #credit = 0;
  #isWalked = false;

  /** @param share how many may go for one that was seen. */
  add(candidate: Candidate, share: number): void {
    this.#byPath.set(candidate.file.path, candidate);
    this.#credit = Math.min(CAPACITY, this.#credit + share);
    if (this.#byPath.size > CAPACITY) this.#remove((usedAt, than) => usedAt > than);
  }

  /** Every entry was seen once. */
  endOfWalk(): void {
    this.#isWalked = true;
    this.#credit = Math.max(1, this.#credit);
  }

  /** Takes out the oldest; `undefined` until more were seen. */
  take(): Candidate | undefined {
    if (this.#credit < 1 || (!this.#isWalked && this.#byPath.size < ENOUGH)) return undefined;
    const oldest = this.#remove((usedAt, than) => usedAt < than);
    if (oldest !== undefined) this.#credit -= 1;
    return oldest;
  }

  /** What was taken out last could not go: others have evicted, replaced or used it meanwhile. */
  giveBack(): void {
    this.#credit += 1;
  }

  #remove(isRather: (usedAt: number, than: number) => boolean): Candidate | undefined {
    let found: Candidate | undefined;
    for (const candidate of this.#byPath.values()) {
      if (found === undefined || isRather(candidate.usedAt, found.usedAt)) found = candidate;
    }
    if (found !== undefined) this.#byPath.delete(found.file.path);
    return found;
  }
}
