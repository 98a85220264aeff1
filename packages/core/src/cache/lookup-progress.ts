import type { CacheError, Clock } from '../driver/index.js';
import type { CircuitBreaker } from '../policy/index.js';

/**
 * How far a look-up has come: which part of it is under way, and so which breaker a failure or the deadline counts
 * against. Time in which it waits for something of ours counts against none.
 */
export class LookupProgress {
  /** When the look-up began, on the monotonic clock. */
  readonly begun: number;
  /** Whether an entry was found, and its body is what the look-up waits for. */
  found = false;
  readonly #clock: Clock;
  #breaker: CircuitBreaker | undefined;
  #epoch = 0;
  #started = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.begun = clock.monotonic();
  }

  /** Whether a part is under way that depends on the store. */
  get dependsOnStore(): boolean {
    return this.#breaker !== undefined;
  }

  /** How long the part under way has taken, in milliseconds. */
  get duration(): number {
    return this.#clock.monotonic() - this.#started;
  }

  begin(breaker: CircuitBreaker): void {
    this.#started = this.#clock.monotonic();
    this.#epoch = breaker.begin(this.#started);
    this.#breaker = breaker;
  }

  /**
   * Ends the part under way.
   * @param saved how long the request would wait without it, in milliseconds
   * @param slow the failure that it counts as, where it took too long
   */
  succeed(saved: number, slow?: CacheError): void {
    const now = this.#clock.monotonic();
    if (slow === undefined) this.#breaker?.succeed(this.#epoch, this.#started, now, saved);
    else this.#breaker?.fail(this.#epoch, this.#started, now, slow);
    this.#breaker = undefined;
  }

  /** Ends the part under way, where there is one. */
  fail(error: CacheError): void {
    this.#breaker?.fail(this.#epoch, this.#started, this.#clock.monotonic(), error);
    this.#breaker = undefined;
  }

  /** Ends the part under way, which says nothing about the store. */
  forget(): void {
    this.#breaker?.forget(this.#started);
    this.#breaker = undefined;
  }
}
