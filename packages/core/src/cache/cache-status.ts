import type { CacheErrorCode } from '../driver/index.js';

/**
 * Why an outcome is what it is; the `detail` of the `Cache-Status` field. A look-up that failed has the
 * code of its error here.
 *
 * - `queued`: the image was rendered and waits to be stored.
 * - `pending`: a hit on an image that still waits to be stored.
 * - `too-large`: not stored, larger than `IMGPROXY_CACHE_MAX_ENTRY_SIZE` or than the driver takes.
 * - `queue-full`: not stored, the store queue is full.
 * - `bytes-in-flight`: not stored, or not read from the store, since `IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT` is reached.
 * - `not-storable`: not stored, the renderer said so, or it is no image.
 * - `not-accepted`: the stored image was of a type that the request does not accept, and was rendered anew; or the
 *   rendered one is, and was not stored.
 * - `metadata`: not stored, its tags do not fit into the metadata.
 * - `invalidated`: not stored: deleted or purged while it was being rendered, or rendered so long that others gave up
 *   waiting for it (`IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS`) or everybody went away.
 * - `newer-format`: not stored, a newer version of the software keeps an entry under this name.
 * - `expired`: the stored image was past its lifetime.
 * - `unreadable`: the stored image could not be read a moment ago; it is rendered anew and stored in its place.
 * - `off`: no driver is configured.
 * - `closed`: the cache is stopping.
 * - `lookup-failed`: not stored, since it is not certain that nothing newer is stored. The field has the error's code.
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

/** What the cache did for a request: the members of RFC 9211's `Cache-Status`. */
export interface CacheOutcome {
  /** Served from the cache. */
  readonly hit?: boolean;
  /** Rendered: after a look-up, or without one. */
  readonly forward?: 'miss' | 'bypass';
  /** The image was stored before it was served. */
  readonly stored?: boolean;
  /** Rendered for another request that came first. */
  readonly collapsed?: boolean;
  readonly detail?: CacheStatusDetail | undefined;
  /** Of a hit with several drivers: name of the one that had it. It is the field's detail where there is no other. */
  readonly tier?: string;
}

/** A {@link CacheOutcome} that writes itself as the value of a `Cache-Status` field (RFC 9211). */
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

  /** The status of an outcome. There are few, and each is made once. */
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
