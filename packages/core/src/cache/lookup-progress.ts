import type { CacheError, Clock } from '../driver/index.js';
import type { CircuitBreaker } from '../resilience/index.js';

/**
 * The progress of a look-up: its current part decides which breaker counts a failure or a timeout. While the look-up waits
 * for memory, no breaker counts.
 */
export class LookupProgress {
  /** When the look-up began, on the monotonic clock. */
  readonly begun: number;
  /** Whether an entry was found, so that the look-up now reads its body. */
  found = false;
  readonly #clock: Clock;
  #breaker: CircuitBreaker | undefined;
  #epoch = 0;
  #started = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begun = clock.monotonic();
  }

  /** Whether the look-up currently waits for the store. */
  get dependsOnStore(): boolean {
    return this.#breaker !== undefined;
  }

  /** How long the current part has taken, in milliseconds. */
  get duration(): number {
    return this.#clock.monotonic() - this.#started;
  }

  begin(breaker: CircuitBreaker): void {
    this.#started = this.#clock.monotonic();
    this.#epoch = breaker.begin(this.#started);
    this.#breaker = breaker;
  }

  /**
   * Ends the current part.
   * @param saved how much longer the request would wait without it, in milliseconds
   * @param slow the failure that it counts as, if it took too long
   */
  succeed(saved: number, slow?: CacheError): void {
    const now = this.#clock.monotonic();
    if (slow === undefined) this.#breaker?.succeed(this.#epoch, this.#started, now, saved);
    else this.#breaker?.fail(this.#epoch, this.#started, now, slow);
    this.#breaker = undefined;
  }

  /** Ends the current part, if there is one, with a failure. */
  fail(error: CacheError): void {
    this.#breaker?.fail(this.#epoch, this.#started, this.#clock.monotonic(), error);
    this.#breaker = undefined;
  }

  /** Ends the current part without counting it. */
  forget(): void {
    this.#breaker?.forget(this.#started);
    this.#breaker = undefined;
  }
}
