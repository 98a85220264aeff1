/**
 * The codes of all failures. The list is closed: a driver maps every error of its store to one of them.
 *
 * - `ERR_CACHE_UNAVAILABLE`: the store cannot be reached, or reports that it cannot serve now.
 * - `ERR_CACHE_TIMEOUT`: a deadline passed before the store answered.
 * - `ERR_CACHE_ACCESS_DENIED`: the store rejected the credentials, or they lack a permission.
 * - `ERR_CACHE_NO_BUCKET`: the bucket, container or root folder does not exist.
 * - `ERR_CACHE_CORRUPT`: the stored data differs from what was put.
 * - `ERR_CACHE_TOO_LARGE`: the entry exceeds a limit of the store or of the configuration.
 * - `ERR_CACHE_ABORTED`: the caller's signal aborted the operation.
 * - `ERR_CACHE_NO_SPACE`: the store is full: bytes, inodes or quota.
 * - `ERR_CACHE_UNSUPPORTED`: the store or this version of the software does not support it.
 * - `ERR_CACHE_CONFIG`: the configuration is invalid.
 * - `ERR_CACHE_DRIVER_NOT_FOUND`: no installed package provides the configured driver.
 * - `ERR_CACHE_DRIVER_CONTRACT`: a driver violates the contract, or implements another version of it.
 * - `ERR_CACHE_CLOSED`: the cache or the driver was used after `close()`.
 */
export const CACHE_ERROR_CODES = [
  'ERR_CACHE_UNAVAILABLE',
  'ERR_CACHE_TIMEOUT',
  'ERR_CACHE_ACCESS_DENIED',
  'ERR_CACHE_NO_BUCKET',
  'ERR_CACHE_CORRUPT',
  'ERR_CACHE_TOO_LARGE',
  'ERR_CACHE_ABORTED',
  'ERR_CACHE_NO_SPACE',
  'ERR_CACHE_UNSUPPORTED',
  'ERR_CACHE_CONFIG',
  'ERR_CACHE_DRIVER_NOT_FOUND',
  'ERR_CACHE_DRIVER_CONTRACT',
  'ERR_CACHE_CLOSED',
] as const;

export type CacheErrorCode = (typeof CACHE_ERROR_CODES)[number];

/** The operation that failed: one of a driver's, or `configure` or `fetch` of the cache. */
export type CacheOperation = 'get' | 'put' | 'delete' | 'list' | 'check' | 'close' | 'configure' | 'fetch';

export interface CacheErrorDetails {
  /** Name of the driver, such as `fs`. */
  readonly driver?: string;
  readonly operation?: CacheOperation;
  /** Whether the same call may succeed later. Default: true for `_UNAVAILABLE`, `_TIMEOUT` and `_NO_SPACE`. */
  readonly retryable?: boolean;
  /** The error of the store, SDK or operating system. Core never logs it, since it may hold secrets. */
  readonly cause?: unknown;
  /** After a failed `delete`: the names that may still be stored. */
  readonly failedNames?: readonly string[];
}

const RETRYABLE: ReadonlySet<CacheErrorCode> = new Set([
  'ERR_CACHE_UNAVAILABLE',
  'ERR_CACHE_TIMEOUT',
  'ERR_CACHE_NO_SPACE',
]);

const CODES: ReadonlySet<unknown> = new Set(CACHE_ERROR_CODES);

/**
 * The only error class of the cache. Recognise it with {@link isCacheError} and decide by `code`: `instanceof` fails
 * when two copies of core are installed. The message says what happened, to what, and what to do. It never holds a
 * credential, a cookie or a signed URL.
 */
export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: CacheErrorCode;
  readonly driver: string | undefined;
  readonly operation: CacheOperation | undefined;
  readonly retryable: boolean;
  readonly failedNames: readonly string[] | undefined;

  constructor(code: CacheErrorCode, message: string, details: CacheErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.driver = details.driver;
    this.operation = details.operation;
    this.retryable = details.retryable ?? RETRYABLE.has(code);
    this.failedNames = details.failedNames;
  }
}

/** Whether `value` is a {@link CacheError} of this or of another copy of core. */
export function isCacheError(value: unknown): value is CacheError {
  return (
    value instanceof Error && value.name === 'CacheError' && CODES.has((value as Partial<CacheError>).code)
  );
}
