import type { CacheError, CacheOperation } from '@imgproxy-cache/core/driver';
import { fsError } from './fs-errors.js';

export function abortedError(operation: CacheOperation, signal: AbortSignal): CacheError {
  return fsError('ERR_CACHE_ABORTED', `${operation} was aborted by the caller`, operation, signal.reason);
}

/**
 * Waits for `work`, but no longer than until the signal aborts: a thread of the pool that hangs in a dead
 * network file system cannot be interrupted, only left behind.
 *
 * @param onAbort makes the rejection.
 * @param onLate receives what the abandoned work comes back with, to release it.
 */
export function abortable<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
  onAbort: (signal: AbortSignal) => CacheError,
  onLate?: (value: Value) => void,
): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    let abandoned = false;
    const abandon = (): void => {
      abandoned = true;
      reject(onAbort(signal));
    };
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
    work.then(
      (value) => {
        signal.removeEventListener('abort', abandon);
        if (abandoned) onLate?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abandon);
        reject(error);
      },
    );
  });
}
