import type { CacheError, Clock } from '../driver/index.js';
import type { ByteBudget, CircuitBreaker } from '../resilience/index.js';
import { isHarmless } from './guarded-driver.js';

export interface StreamedHitParts {
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly breaker: CircuitBreaker;
  /** How long a rendering would have taken instead, in milliseconds. */
  readonly saved: number;
  /** Releases the file or socket. */
  release(): void;
  /** @returns the error that the reader gets instead of `thrown` */
  onFailure(thrown: unknown): CacheError;
}

/**
 * The body of a stored image that is too large to be read whole before it is served. The look-up reads its first chunk.
 * For the breaker, only the time that the reader waits for the store counts. The budget counts the chunks it holds.
 */
export class StreamedHit implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #parts: StreamedHitParts;
  readonly #epoch: number;
  #first: IteratorResult<Uint8Array> | undefined;
  #waited = 0;
  #held = 0;
  #released = false;

  /** @param chunks verified, the last chunk held back */
  constructor(chunks: AsyncIterable<Uint8Array>, parts: StreamedHitParts) {
    this.#chunks = chunks[Symbol.asyncIterator]();
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
      this.#first = this.#took(await this.#chunks.next());
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { breaker, clock, saved } = this.#parts;
    try {
      let step = this.#first ?? (await this.#nextOrFail());
      while (step.done !== true) {
        yield step.value;
        step = await this.#nextOrFail();
      }
      const now = clock.monotonic();
      breaker.succeed(this.#epoch, this.#begin(now), now, saved);
    } finally {
      this.release();
    }
  }

  /** Releases everything. Idempotent. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#hold(0);
    this.#parts.release();
  }

  async #nextOrFail(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#next();
    } catch (thrown) {
      // The read failed because the reader has left.
      if (this.#released) throw thrown;
      const { breaker, clock, onFailure } = this.#parts;
      const error = onFailure(thrown);
      const now = clock.monotonic();
      const started = this.#begin(now);
      if (isHarmless(error.code, 'get')) breaker.forget(started);
      else breaker.fail(this.#epoch, started, now, error);
      throw error;
    }
  }

  /** Reads the next chunk. Until it arrives, the wait counts as a pending operation. */
  async #next(): Promise<IteratorResult<Uint8Array>> {
    const { breaker, clock } = this.#parts;
    const started = clock.monotonic();
    breaker.begin(started);
    try {
      return this.#took(await this.#chunks.next());
    } finally {
      breaker.forget(started);
      this.#waited += clock.monotonic() - started;
    }
  }

  #took(step: IteratorResult<Uint8Array>): IteratorResult<Uint8Array> {
    // The reader's chunk, and the one that is held back until the body is verified.
    this.#hold(step.done === true ? 0 : 2 * step.value.length);
    return step;
  }

  /** Begins an operation that is as old as the sum of all waits. */
  #begin(now: number): number {
    const started = now - this.#waited;
    this.#parts.breaker.begin(started);
    return started;
  }

  #hold(bytes: number): void {
    const { budget } = this.#parts;
    if (this.#released && bytes > 0) return;
    const change = bytes - this.#held;
    this.#held = bytes;
    if (change > 0) budget.take(change);
    else if (change < 0) budget.release(-change);
  }
}
