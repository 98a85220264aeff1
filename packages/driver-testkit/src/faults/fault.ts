import type { CacheErrorCode } from '@imgproxy-cache/core/driver';

/** Where a fault strikes: an operation of the driver, or the reading of a body that a get has found. */
export const FAULT_POINTS = ['get', 'body', 'put', 'delete', 'list', 'check', 'close'] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/** What goes wrong. */
export type FaultEffect =
  /**
   * The operation fails: with a `CacheError` of this code, or with whatever `thrown` makes, such as something that
   * is no `CacheError`. With `done` it is carried out first and only its answer is lost.
   */
  | {
      readonly kind: 'error';
      readonly code?: CacheErrorCode;
      readonly thrown?: () => unknown;
      readonly done?: boolean;
    }
  /** The operation begins later, by so many milliseconds of the clock. */
  | { readonly kind: 'delay'; readonly milliseconds: number; readonly deaf?: boolean }
  /**
   * The operation does not begin until the fault is removed. A `deaf` hang or delay ignores the signal of its
   * operation; any other ends with `ERR_CACHE_ABORTED`.
   */
  | { readonly kind: 'hang'; readonly deaf?: boolean }
  /**
   * The operation answers what is not true: a get is a miss, a put or a delete says that it was done and was not
   * (so that what was deleted is still a hit), a list has no names, a check is ok, a close has closed.
   */
  | { readonly kind: 'lie' };

/** What goes wrong with a body that is read. */
export type BodyEffect =
  /** The reading fails, is late or hangs: before the chunk that holds the byte at `offset`, by default the first. */
  | (Exclude<FaultEffect, { readonly kind: 'lie' }> & { readonly offset?: number })
  /** The body ends, cleanly, after so many bytes. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** One bit of the byte at this offset is turned over; without an offset in the middle of the body. */
  | { readonly kind: 'corrupt'; readonly offset?: number };

/** When a fault strikes; all that is given must hold. Without any it strikes always. */
export interface FaultConditions {
  /** Not before so many calls at its point, counted from its injection. */
  readonly after?: number;
  /** No more often than this. */
  readonly times?: number;
  /** In so many of all cases, 0 to 1, drawn with the seed of the driver. */
  readonly probability?: number;
  /** Not before so many milliseconds of the clock after its injection. */
  readonly from?: number;
  /** No longer than so many milliseconds of the clock after its injection. */
  readonly until?: number;
  /** For these names or prefixes alone; a delete counts where one of its names does. Not asked of check and close. */
  readonly name?: (name: string) => boolean;
}
