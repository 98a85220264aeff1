import type { CacheErrorCode } from '@imgproxy-cache/core/driver';

/** Where a fault strikes: an operation of the driver, or the reading of a body that a get has found. */
export const FAULT_POINTS = ['get', 'body', 'put', 'delete', 'list', 'check', 'close'] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/** The effect of a fault on an operation. */
export type FaultEffect =
  /**
   * The operation fails with a `CacheError` of this code, by default `ERR_CACHE_UNAVAILABLE`, or with the result of
   * `thrown`. With `done` the operation is carried out first, and only its answer is lost.
   */
  | {
      readonly kind: 'error';
      readonly code?: CacheErrorCode;
      readonly thrown?: () => unknown;
      readonly done?: boolean;
    }
  /** The operation begins so many milliseconds later, by the clock. */
  | { readonly kind: 'delay'; readonly milliseconds: number; readonly deaf?: boolean }
  /**
   * The operation does not begin until the fault is removed. A `deaf` hang or delay ignores its operation's signal;
   * any other fails with `ERR_CACHE_ABORTED` when the signal aborts.
   */
  | { readonly kind: 'hang'; readonly deaf?: boolean }
  /**
   * The operation does nothing and reports success: get is a miss, put and delete resolve, list has no names, check is
   * ok, close resolves.
   */
  | { readonly kind: 'lie' };

/** The effect of a fault on reading a body. */
export type BodyEffect =
  /** Reading fails, is late or hangs before the chunk with the byte at `offset`, by default the first. */
  | (Exclude<FaultEffect, { readonly kind: 'lie' }> & { readonly offset?: number })
  /** The body ends cleanly after so many bytes. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** One bit of the byte at this offset is flipped. Default: the middle of the body. */
  | { readonly kind: 'corrupt'; readonly offset?: number };

/** When a fault strikes. All given conditions must hold; without any it always strikes. */
export interface FaultConditions {
  /** Skips so many calls at its point after its injection. */
  readonly after?: number;
  /** Strikes at most so many times. */
  readonly times?: number;
  /** Share of the calls that it strikes, from 0 to 1, by the driver's seed. */
  readonly probability?: number;
  /** Begins so many milliseconds after its injection, by the clock. */
  readonly from?: number;
  /** Ends so many milliseconds after its injection, by the clock. */
  readonly until?: number;
  /** Strikes only for these names or prefixes, and for a delete where one of its names matches. Ignored for check and close. */
  readonly name?: (name: string) => boolean;
}
