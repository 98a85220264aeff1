import type { CacheError } from '../driver/index.js';

/** The phase in which something failed. */
export type FailurePhase = 'start' | 'lookup' | 'store';

/**
 * Decides which failures of the cache fail a request or the start. {@link errorReporting} gives imgproxy's two
 * policies; a host may bind its own.
 */
export interface ErrorReporting {
  /** Whether an image is stored before it is served. Otherwise a failed store cannot fail the request. */
  readonly storeBeforeServing: boolean;
  /** Whether this failure fails the request or the start. */
  shouldThrow(error: CacheError, phase: FailurePhase): boolean;
}

/** The policy of `IMGPROXY_CACHE_REPORT_ERRORS`: with false the image is rendered without the cache, with true the request fails. */
export function errorReporting(reportErrors: boolean): ErrorReporting {
  return { storeBeforeServing: reportErrors, shouldThrow: () => reportErrors };
}
