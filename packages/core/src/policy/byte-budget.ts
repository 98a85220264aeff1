import { abortedError } from './deadline.js';

interface Waiting {
  readonly bytes: number;
  resolve(): void;
}

/** A limit on bytes that are held at the same time. */
export class ByteBudget {
  readonly #limit: number;
  readonly #waiting = new Set<Waiting>();
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

  /**
   * Takes `bytes` once there is room for them, in the order in which callers came. Where nothing is held there is room
   * for any number.
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

  /** Counts bytes that are held already, whether or not there is room for them. */
  take(bytes: number): void {
    this.#held += bytes;
  }

  /** Gives back what was acquired or taken. */
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
