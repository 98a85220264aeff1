const CAPACITY = 1024;
// From fewer nothing can be said about the rest.
const ENOUGH = 128;
const SORTED_EVERY = 32;

/** When the entries seen last were used: a sample of all that says which age is old. */
export class AgeSample {
  #times: number[] = [];
  #capacity = CAPACITY;
  #seenInWalk = 0;
  #walked = false;
  #sorted: Float64Array | undefined;

  /** @param usedAt milliseconds since the Unix epoch. */
  add(usedAt: number): void {
    this.#times.push(usedAt);
    if (this.#times.length > this.#capacity) this.#times.shift();
    this.#seenInWalk += 1;
    if (this.#seenInWalk % SORTED_EVERY === 0) this.#sorted = undefined;
  }

  /** Every entry was seen once: of a small cache the sample is now all of it, and never again more than that. */
  endOfWalk(): void {
    this.#capacity = Math.min(CAPACITY, Math.max(1, this.#seenInWalk));
    this.#times = this.#times.slice(-this.#capacity);
    this.#seenInWalk = 0;
    this.#walked = true;
    this.#sorted = undefined;
  }

  /** Until when the least recently used `share` of the entries were used; `undefined`: not known yet. */
  oldest(share: number): number | undefined {
    if (this.#times.length < ENOUGH && !this.#walked) return undefined;
    this.#sorted ??= Float64Array.from(this.#times).sort();
    return this.#sorted[Math.floor(this.#sorted.length * share)];
  }
}
