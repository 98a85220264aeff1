import type { ImageIdentity } from '../key/cache-request.js';
import type { CacheStatus } from './cache-status.js';
import type { CachedImage } from './cached-image.js';

/** A request for an image. */
export interface CacheRequest extends ImageIdentity {
  /** Neither look up nor store. */
  readonly bypass?: boolean | undefined;
  /**
   * Media types that the answer may have, such as `image/jpeg`, if the host knows them. A hit of another type is not
   * served: the image is rendered again and replaced. A rendering of another type is served and not stored. This detects a
   * renderer whose choice of format depends on more than `negotiated`. List every type that the renderer may choose for any
   * client, such as the source's own.
   */
  readonly accepts?: readonly string[] | undefined;
  /** Labels to store with the entry. */
  readonly tags?: readonly string[] | undefined;
  /**
   * How long the image may be served from the cache, in seconds; 0: for ever. The request that renders the image decides: a
   * stored image keeps its own. Default: `IMGPROXY_CACHE_TTL_SECONDS`.
   */
  readonly ttl?: number | undefined;
  /** Aborts the request, for example when the client disconnects. Other requests for the same image still get it. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a request. */
export interface FetchResult {
  /** What the cache did: `String(status)` is the value of the `Cache-Status` header. */
  readonly status: CacheStatus;
  readonly image: CachedImage;
  /** Name of the image's entry. Requests that can have different images have different names. */
  readonly name: string;
  /** How long the cache keeps the image if it is rendered now, in seconds; 0: for ever. */
  readonly ttl: number;
  /** `IMGPROXY_CACHE_VERIFY_BYTES`: the cache serves larger images as streams. */
  readonly verifyBytes: number;
  /**
   * Names of the request headers that the answer depends on: the items of the response's `Vary` header, which is omitted if
   * there are none. `Accept` if the request has `negotiated` or `accepts`, the headers of `IMGPROXY_CACHE_KEY_HEADERS`, and
   * `Cookie` if `IMGPROXY_CACHE_KEY_COOKIES` lists any.
   */
  readonly vary: readonly string[];
}
