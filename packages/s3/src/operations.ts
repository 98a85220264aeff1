import type { CacheOperation } from '@imgproxy-cache/core/driver';
import { s3Error } from './s3-errors.js';

/**
 * The operations under way. Each ends at once when its caller aborts or the driver is closed, whatever it waits
 * for; the work behind it is told to end by a signal of its own, which lives as long as a body that it opened.
 */
export class Operations {
  readonly #running = new Set<AbortController>();
  #closed = false;

  /**
   * @param work gets the signal and what to call when everything that depends on it has ended; unless it calls
   *   `outlive`, that is when it settles.
   * @param onLate receives what abandoned work comes back with, to release it.
   */
  run<Value>(
    operation: CacheOperation,
    caller: AbortSignal | undefined,
    work: (signal: AbortSignal, outlive: () => () => void) => Promise<Value>,
    onLate?: (value: Value) => void,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.assertOpen(operation);
      if (caller?.aborted) throw abortedError(operation, caller);
      const controller = new AbortController();
      let settled = false;
      let outlives = false;
      const abandon = (): void => controller.abort(caller?.reason);
      const forget = (): void => void this.#running.delete(controller);
      const settle = (): void => {
        settled = true;
        caller?.removeEventListener('abort', abandon);
      };
      controller.signal.addEventListener('abort', () => {
        if (settled) return;
        settle();
        reject(this.#closed ? closedError(operation) : abortedError(operation, controller.signal));
      });
      caller?.addEventListener('abort', abandon, { once: true });
      this.#running.add(controller);
      const outlive = (): (() => void) => {
        outlives = true;
        return forget;
      };
      work(controller.signal, outlive).then(
        (value) => {
          if (!outlives) forget();
          if (settled) return onLate?.(value);
          settle();
          resolve(value);
        },
        (error: unknown) => {
          forget();
          if (settled) return;
          settle();
          reject(error);
        },
      );
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  assertOpen(operation: CacheOperation): void {
    if (this.#closed) throw closedError(operation);
  }

  /** Ends all that is under way. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#running) controller.abort();
  }
}

function abortedError(operation: CacheOperation, { reason }: AbortSignal): Error {
  return s3Error('ERR_CACHE_ABORTED', `${operation} was aborted by the caller`, operation, { cause: reason });
}

function closedError(operation: CacheOperation): Error {
  return s3Error('ERR_CACHE_CLOSED', `cannot ${operation}: the S3 driver was closed`, operation);
}
