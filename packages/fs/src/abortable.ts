import type { CacheError, CacheOperation } from '@imgproxy-cache/core/driver';
import { fsError } from './fs-errors.js';

export function abortedError(operation: CacheOperation, signal: AbortSignal): CacheError {
  return fsError('ERR_CACHE_ABORTED', `${operation} was aborted by the caller`, operation, signal.reason);
}

/**
 * Waits for `work` until the signal aborts. A system call that hangs in a network file system cannot be interrupted,
 * only abandoned.
 *
 * @param onAbort makes the error to reject with.
 * @param onLate releases the result of abandoned work.
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
