import type { CacheError, Clock, StoredEntry } from '../driver/index.js';
import { HeldBackBody } from '../driver/integrity.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import type { Attempt, CircuitBreaker } from '../resilience/circuit-breaker.js';
import { isHarmless } from './guarded-driver.js';

export interface StreamedBodyParts {
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly breaker: CircuitBreaker;
  /** How long a rendering would have taken instead, in milliseconds. */
  readonly saved: number;
  /** @returns the error that the reader gets instead of `thrown` */
  onFailure(thrown: unknown): CacheError;
}

type Step = IteratorResult<Uint8Array, undefined>;

const END: Step = { done: true, value: undefined };

/**
 * The body of a stored image that is too large to be read whole before it is served. It is verified while it is read, and
 * its last chunk is held back until size and CRC-32 match. The look-up reads the first chunk. For the breaker, only the time
 * that the reader waits for the store counts. The budget counts the chunks it holds.
 */
export class StreamedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #entry: StoredEntry;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #verified: HeldBackBody;
  readonly #parts: StreamedBodyParts;
  readonly #epoch: number;
  #first: Step | undefined;
  #ended = false;
  #waited = 0;
  #held = 0;
  #released = false;

  constructor(entry: StoredEntry, parts: StreamedBodyParts) {
    this.#entry = entry;
    this.#chunks = entry.stream()[Symbol.asyncIterator]();
    this.#verified = new HeldBackBody(entry.metadata);
    this.#parts = parts;
    this.#epoch = parts.breaker.epoch;
  }

  /**
   * Reads the first chunk. If that fails, the look-up fails.
   * @param signal ends the reading
   */
  async readFirst(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.release();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#first = await this.#read();
    } catch (error) {
      this.release();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async next(): Promise<Step> {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = undefined;
      return first;
    }
    const { breaker, clock, saved, onFailure } = this.#parts;
    if (this.#ended) {
      if (!this.#released) this.#attempt().succeed(saved);
      this.release();
      return END;
    }
    // Until the chunk arrives, the wait counts as a pending operation.
    const pending = breaker.begin();
    try {
      return await this.#read().finally(() => {
        pending.forget();
        this.#waited += clock.monotonic() - pending.started;
      });
    } catch (thrown) {
      // The read failed because the reader has left.
      if (this.#released) throw thrown;
      const error = onFailure(thrown);
      if (!isHarmless(error.code, 'get')) this.#attempt().fail(error);
      this.#ended = true;
      this.release();
      throw error;
    }
  }

  return(): Promise<Step> {
    this.release();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Releases the file or socket. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#hold(0);
    void this.#entry[Symbol.asyncDispose]();
  }

  async #read(): Promise<Step> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      this.#ended = done === true;
      const chunk = this.#ended ? this.#verified.end() : this.#verified.take(value);
      // The reader's chunk, and the one that is held back.
      if (!this.#ended && !this.#released) this.#hold(2 * value.length);
      if (chunk !== undefined) return { done: false, value: chunk };
      if (this.#ended) return END;
    }
  }

  /** An operation that is as old as the sum of all waits. */
  #attempt(): Attempt {
    const { breaker, clock } = this.#parts;
    return breaker.begin(clock.monotonic() - this.#waited, this.#epoch);
  }

  #hold(bytes: number): void {
    const { budget } = this.#parts;
    const change = bytes - this.#held;
    this.#held = bytes;
    if (change > 0) budget.take(change);
    else if (change < 0) budget.release(-change);
  }
}
