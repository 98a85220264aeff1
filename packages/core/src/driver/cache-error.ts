/**
 * Every way in which a cache operation can fail. The list is closed: a driver
 * maps whatever its store says onto one of these.
 *
 * - `ERR_CACHE_UNAVAILABLE`: the store did not answer, or answered that it cannot serve now.
 * - `ERR_CACHE_TIMEOUT`: a deadline passed before the store answered.
 * - `ERR_CACHE_ACCESS_DENIED`: the store refused the credentials or the right.
 * - `ERR_CACHE_NO_BUCKET`: the bucket, container or root folder does not exist.
 * - `ERR_CACHE_CORRUPT`: what is stored is not what was put.
 * - `ERR_CACHE_TOO_LARGE`: the entry exceeds a limit of the store or of the configuration.
 * - `ERR_CACHE_ABORTED`: the caller's signal ended the operation.
 * - `ERR_CACHE_NO_SPACE`: the store is full: bytes, inodes or quota.
 * - `ERR_CACHE_UNSUPPORTED`: the store, or this version of the software, cannot do it.
 * - `ERR_CACHE_CONFIG`: the configuration is wrong.
 * - `ERR_CACHE_DRIVER_NOT_FOUND`: no package provides the driver that was asked for.
 * - `ERR_CACHE_DRIVER_CONTRACT`: a driver does not keep, or does not speak, the contract.
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

/** The operation that failed: those of a driver, or the phases around them. */
export type CacheOperation = 'get' | 'put' | 'delete' | 'list' | 'check' | 'close' | 'configure' | 'fetch';

export interface CacheErrorDetails {
  /** Name of the driver, such as `fs`. */
  readonly driver?: string;
  readonly operation?: CacheOperation;
  /** Whether the same call may succeed later. Default: true for unavailable, time-out and no space. */
  readonly retryable?: boolean;
  /** What the store, SDK or operating system said. Never logged by core, since it may carry secrets. */
  readonly cause?: unknown;
  /** Of a `delete` of several names: those that may still be stored. */
  readonly failedNames?: readonly string[];
}

const RETRYABLE: ReadonlySet<CacheErrorCode> = new Set([
  'ERR_CACHE_UNAVAILABLE',
  'ERR_CACHE_TIMEOUT',
  'ERR_CACHE_NO_SPACE',
]);

const CODES: ReadonlySet<unknown> = new Set(CACHE_ERROR_CODES);

/**
 * The one error class of the cache. Recognise it with {@link isCacheError} and
 * decide by `code`: `instanceof` fails as soon as two copies of core are installed.
 * The message says what happened, to what, and what to do; it never holds a
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
