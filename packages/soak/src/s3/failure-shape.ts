import { type CacheErrorCode, type CacheOperation, isCacheError } from '@imgproxy-cache/core/driver';

export const SECRET_KEY = 'soak-secret-that-nobody-may-tell';

/** What a store that is there, misbehaves, and lets everybody in can make of an operation. */
const EXPECTED: Readonly<Partial<Record<CacheOperation, readonly CacheErrorCode[]>>> = {
  get: ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT', 'ERR_CACHE_CORRUPT', 'ERR_CACHE_ABORTED'],
  put: ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT', 'ERR_CACHE_ABORTED'],
  delete: ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT', 'ERR_CACHE_ABORTED'],
  list: ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT', 'ERR_CACHE_ABORTED'],
};
const PASSING: ReadonlySet<CacheErrorCode> = new Set(['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT']);

// What core's own parts throw, the codec and the entries that drivers are made of, leaves the driver to core to name.
const NAMELESS: ReadonlySet<CacheErrorCode> = new Set(['ERR_CACHE_CORRUPT', 'ERR_CACHE_ABORTED']);

/** What a failed operation was asked. */
export interface FailedCall {
  readonly operation: 'get' | 'put' | 'delete' | 'list';
  /** Whether its caller had hung up, or given the body up, by then. */
  readonly abandoned: boolean;
  /** Of a delete: all names. */
  readonly names?: readonly string[];
}

/** What is wrong with the way in which an operation failed; `undefined` where nothing is. */
export function problemOfFailure(
  thrown: unknown,
  { operation, abandoned, names }: FailedCall,
): string | undefined {
  const title = `${operation} rejected with ${describe(thrown)}`;
  if (!isCacheError(thrown)) return `${title}, which is no CacheError`;
  const { code, message, retryable, failedNames } = thrown;
  if (EXPECTED[operation]?.includes(code) !== true) return `${title}, which this store cannot cause`;
  if (code === 'ERR_CACHE_ABORTED' && !abandoned) return `${title}, and nobody aborted it`;
  const byCore = thrown.driver === undefined && NAMELESS.has(code);
  if (thrown.driver !== 's3' && !byCore) return `${title}, and names the driver ${thrown.driver}`;
  if (thrown.operation !== operation) return `${title}, and names the operation ${thrown.operation}`;
  if (retryable !== PASSING.has(code)) return `${title}, and its retryable is ${retryable}`;
  if (message === '' || message.includes(SECRET_KEY) || /signature=|authorization:/i.test(message)) {
    return `${title}: such a message tells nothing, or too much`;
  }
  if (names === undefined) return undefined;
  const sound = failedNames?.every((name) => names.includes(name)) === true;
  return sound ? undefined : `${title}, and its failedNames are ${failedNames}`;
}

function describe(thrown: unknown): string {
  if (isCacheError(thrown)) return `${thrown.code} (${thrown.message.slice(0, 200)})`;
  return thrown instanceof Error ? `${thrown.name} (${thrown.message.slice(0, 200)})` : String(thrown);
}
