import { abortedError } from '../driver/operation-guard.js';

interface Waiting {
  readonly bytes: number;
  resolve(): void;
}

/** A limit on the bytes held at the same time. */
export class ByteBudget {
  readonly #limit: number;
  readonly #waiting = new Set<Waiting>();
  #held = 0;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Takes `bytes`, or nothing at all and returns false. */
  tryAcquire(bytes: number): boolean {
    if (this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    return true;
  }

  /**
   * Takes `bytes` once they fit, first come, first served. While nothing is held, any number fits.
   * @throws CacheError `ERR_CACHE_ABORTED`
   */
  async acquire(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.size === 0 && this.#fits(bytes)) {
      this.#held += bytes;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { bytes, resolve };
    const onAbort = (): void => {
      this.#waiting.delete(waiting);
      reject(abortedError('get', signal));
      this.#serve();
    };
    if (signal.aborted) throw abortedError('get', signal);
    this.#waiting.add(waiting);
    signal.addEventListener('abort', onAbort, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  /** Counts bytes that are already held, even past the limit. */
  take(bytes: number): void {
    this.#held += bytes;
  }

  /** Releases bytes that were acquired or taken. */
  release(bytes: number): void {
    this.#held -= bytes;
    this.#serve();
  }

  #serve(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return;
      this.#waiting.delete(waiting);
      this.#held += waiting.bytes;
      waiting.resolve();
    }
  }

  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#limit;
  }
}
