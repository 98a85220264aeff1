import type { FoundFile } from './folder-walk.js';

// About 6 MB of paths.
const CAPACITY = 16_384;
// The oldest of fewer is no good estimate of the oldest of all.
const MIN_SAMPLE = 128;
// The youngest of this many is dropped when the capacity is exceeded.
const PROBES = 8;

/** A file that may be evicted. Its `usedAt` is the last use that this process knows of. */
export interface Candidate extends FoundFile {
  /** Whether this process stored the file itself, so that it need not be read to prove that it is an entry. */
  readonly isOwn: boolean;
}

interface Item {
  candidate: Candidate;
  index: number;
}

/**
 * The least recently used entries, from walks and from the stores of this process. If a walk found no more than fit, they
 * are evicted oldest first without another walk, until as many are gone as it found. Of a larger cache, each examined
 * entry earns a share of one eviction, and the oldest seen goes.
 */
export class Candidates {
  readonly #byPath = new Map<string, Item>();
  /** A binary heap: no item is older than its parent. */
  readonly #heap: Item[] = [];
  #credit = 0;
  #isWalked = false;
  #isOverfull = false;
  #examined = 0;
  /** Evictions until the next walk; 0 if not all entries are known. */
  #remaining = 0;

  /** Adds an entry that this process has stored. */
  addStored(candidate: Candidate): void {
    // It is younger than all others, so it takes the place of none.
    if (this.#heap.length < CAPACITY || this.#byPath.has(candidate.path)) this.#put(candidate);
    else this.#noteOverfull();
  }

  /** Adds an entry that a walk found. @param share evictions earned by it */
  addExamined(candidate: Candidate, share: number): void {
    this.#examined += 1;
    this.#credit = Math.min(CAPACITY, this.#credit + share);
    if (this.#byPath.get(candidate.path)?.candidate.isOwn) return;
    this.#put(candidate);
    if (this.#heap.length > CAPACITY) {
      this.#dropYoung();
      this.#noteOverfull();
    }
  }

  /** Puts back an entry that has changed since it was added. */
  putBack(candidate: Candidate): void {
    this.#put(candidate);
  }

  /** Notes that a walk has examined every entry. */
  endOfWalk(): void {
    this.#isWalked = true;
    this.#credit = Math.max(1, this.#credit);
    this.#remaining = this.#isOverfull ? 0 : this.#examined;
    this.#isOverfull = false;
    this.#examined = 0;
  }

  /** Removes and returns the oldest; `undefined` until more entries are examined. */
  take(): Candidate | undefined {
    if (this.#remaining === 0) {
      if (this.#credit < 1 || (!this.#isWalked && this.#heap.length < MIN_SAMPLE)) return undefined;
    }
    const [oldest] = this.#heap;
    if (oldest === undefined) return undefined;
    if (this.#remaining > 0) this.#remaining -= 1;
    else this.#credit -= 1;
    this.#remove(oldest);
    return oldest.candidate;
  }

  /** Refunds {@link take} for a candidate that was not evicted. */
  refund(): void {
    if (this.#remaining > 0) this.#remaining += 1;
    else this.#credit += 1;
  }

  #noteOverfull(): void {
    this.#isOverfull = true;
    this.#remaining = 0;
  }

  #put(candidate: Candidate): void {
    const known = this.#byPath.get(candidate.path);
    const item = known ?? { candidate, index: this.#heap.length };
    item.candidate = candidate;
    if (known === undefined) {
      this.#byPath.set(candidate.path, item);
      this.#heap.push(item);
    }
    this.#settle(item);
  }

  #remove(item: Item): void {
    this.#byPath.delete(item.candidate.path);
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#place(last, item.index);
    this.#settle(last);
  }

  /** Drops one of the younger half, which is at the end of the heap. */
  #dropYoung(): void {
    const young = this.#heap
      .slice(-PROBES)
      .reduce((a, b) => (b.candidate.usedAt > a.candidate.usedAt ? b : a));
    this.#remove(young);
  }

  /** Moves an item to where it belongs in the heap. */
  #settle(item: Item): void {
    for (let parent = this.#heap[(item.index - 1) >> 1]; parent !== undefined && isOlder(item, parent); ) {
      this.#swap(item, parent);
      parent = this.#heap[(item.index - 1) >> 1];
    }
    for (;;) {
      const [left, right] = [this.#heap[2 * item.index + 1], this.#heap[2 * item.index + 2]];
      const older = right !== undefined && left !== undefined && isOlder(right, left) ? right : left;
      if (older === undefined || !isOlder(older, item)) return;
      this.#swap(item, older);
    }
  }

  #swap(a: Item, b: Item): void {
    const { index } = a;
    this.#place(a, b.index);
    this.#place(b, index);
  }

  #place(item: Item, index: number): void {
    this.#heap[index] = item;
    item.index = index;
  }
}

function isOlder(a: Item, b: Item): boolean {
  return a.candidate.usedAt < b.candidate.usedAt;
}
