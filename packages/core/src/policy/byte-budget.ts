/** A limit on bytes that are held at the same time. Who gets none does without: nobody waits. */
export class ByteBudget {
  readonly #limit: number;
  #held = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  /** Takes `bytes`, or nothing at all and returns false. */
  tryAcquire(bytes: number): boolean {
    if (this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    return true;
  }

  /** Gives back what was acquired. */
  release(bytes: number): void {
    this.#held -= bytes;
  }
}
