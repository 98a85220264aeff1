// Assumed before the first rendering.
const FIRST_GUESS = 100;
const WEIGHT_OF_LATEST = 0.1;

/** How long renderings take, which is the time that a hit saves. */
export class RenderingTime {
  #mean: number | undefined;

  /** A moving average, in milliseconds. */
  get mean(): number {
    return this.#mean ?? FIRST_GUESS;
  }

  note(milliseconds: number): void {
    this.#mean =
      this.#mean === undefined ? milliseconds : this.#mean + (milliseconds - this.#mean) * WEIGHT_OF_LATEST;
  }
}
