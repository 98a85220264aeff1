import type { CacheErrorCode } from '../driver/index.js';

/**
 * The reason for an outcome: the `detail` of the `Cache-Status` field. For a failed look-up it is the code of the error.
 *
 * - `queued`: the image was rendered and is waiting to be stored.
 * - `pending`: a hit on an image that is still waiting to be stored.
 * - `too-large`: not stored: larger than `IMGPROXY_CACHE_MAX_ENTRY_SIZE` or the driver's limit.
 * - `queue-full`: not stored: the store queue is full.
 * - `bytes-in-flight`: not stored, or not read from the store: `IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT` is reached.
 * - `not-storable`: not stored: the rendering has `store: false`, or is no image.
 * - `not-accepted`: the request does not accept the type of the stored image, which was rendered again; or that of the
 *   rendered image, which was not stored.
 * - `metadata`: not stored: the tags do not fit into the metadata.
 * - `invalidated`: not stored: deleted or purged during rendering; or the rendering took longer than other requests wait
 *   for it (`IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS`); or all its requests were aborted.
 * - `newer-format`: not stored: a newer version of the software has stored an entry under this name.
 * - `expired`: the stored image has expired.
 * - `unreadable`: reading the stored image failed recently; it was rendered again and replaces the stored one.
 * - `off`: no driver is configured.
 * - `closed`: the cache is closed or closing.
 * - `lookup-failed`: not stored: after a failed look-up something newer may be stored. The field has the error's code.
 * - `breaker-open`: look-ups or stores are suspended after too many failures.
 */
export type CacheStatusDetail =
  | NotStoredReason
  | 'queued'
  | 'pending'
  | 'expired'
  | 'unreadable'
  | 'off'
  | CacheErrorCode;

/** Why a rendered image was not stored. */
export type NotStoredReason =
  | 'too-large'
  | 'queue-full'
  | 'bytes-in-flight'
  | 'not-storable'
  | 'not-accepted'
  | 'metadata'
  | 'invalidated'
  | 'newer-format'
  | 'breaker-open'
  | 'lookup-failed'
  | 'closed';

/** What the cache did for a request, as members of the `Cache-Status` field (RFC 9211). */
export interface CacheOutcome {
  /** Served from the cache. */
  readonly hit?: boolean;
  /** Rendered: after a look-up (`miss`) or without one (`bypass`). */
  readonly forward?: 'miss' | 'bypass';
  /** The image was stored before it was served. */
  readonly stored?: boolean;
  /** Rendered for an earlier request and shared. */
  readonly collapsed?: boolean;
  readonly detail?: CacheStatusDetail | undefined;
  /** For a hit with several drivers: the name of the one that had it. It is the field's `detail` if there is no other. */
  readonly tier?: string;
}

/** A {@link CacheOutcome} whose string is the value of a `Cache-Status` field (RFC 9211). */
export class CacheStatus {
  readonly hit: boolean;
  readonly forward: 'miss' | 'bypass' | undefined;
  readonly stored: boolean;
  readonly collapsed: boolean;
  readonly detail: CacheStatusDetail | undefined;
  readonly tier: string | undefined;
  readonly #field: string;

  private constructor({
    hit = false,
    forward,
    stored = false,
    collapsed = false,
    detail,
    tier,
  }: CacheOutcome) {
    this.hit = hit;
    this.forward = forward;
    this.stored = stored;
    this.collapsed = collapsed;
    this.detail = detail;
    this.tier = tier;
    const remark = detail ?? tier;
    this.#field = [
      'imgproxy-cache',
      ...(hit ? ['hit'] : []),
      ...(forward === undefined ? [] : [`fwd=${forward}`]),
      ...(stored ? ['stored'] : []),
      ...(collapsed ? ['collapsed'] : []),
      ...(remark === undefined ? [] : [`detail=${remark}`]),
    ].join('; ');
  }

  static readonly #known = new Map<string, CacheStatus>();

  /** The status of an outcome. There are few, so each is created once. */
  static of(outcome: CacheOutcome): CacheStatus {
    const made = new CacheStatus(outcome);
    const identity = `${made.#field} ${made.tier}`;
    const known = CacheStatus.#known.get(identity);
    if (known !== undefined) return known;
    Object.freeze(made);
    CacheStatus.#known.set(identity, made);
    return made;
  }

  /** `imgproxy-cache; hit`, `imgproxy-cache; fwd=miss; stored`, … */
  toString(): string {
    return this.#field;
  }

  toJSON(): string {
    return this.#field;
  }
}
