import type { CacheError } from '../driver/index.js';

/** Where in a cache's life something failed. */
export type FailurePhase = 'start' | 'lookup' | 'store';

/**
 * Decides whether the cache's failures become its callers'. The two policies of imgproxy are
 * {@link errorReporting}; a host may bind its own.
 */
export interface ErrorReporting {
  /** Whether an image is stored before it is served, which a store's failure needs to fail a request. */
  readonly storeBeforeServing: boolean;
  /** Whether this failure fails the request, or the start. */
  reports(error: CacheError, phase: FailurePhase): boolean;
}

/** `IMGPROXY_CACHE_REPORT_ERRORS`: false renders without the cache, true lets requests fail. */
export function errorReporting(reportErrors: boolean): ErrorReporting {
  return { storeBeforeServing: reportErrors, reports: () => reportErrors };
}
