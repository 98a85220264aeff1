import type { ImageIdentity } from '../key/index.js';
import type { CacheStatus } from './cache-status.js';
import type { CachedImage } from './cached-image.js';

/** A request for an image. */
export interface CacheRequest extends ImageIdentity {
  /** Neither look up nor store. */
  readonly bypass?: boolean | undefined;
  /**
   * Media types that the answer may have, such as `image/jpeg`, where the host knows them. A hit of another type is not
   * served: the image is rendered anew and replaced. A rendering of another type is served and not stored. It catches a
   * renderer that chooses by more than `negotiated` says. A type that the renderer gives whatever the client accepts, such
   * as the source's own, belongs in the list.
   */
  readonly accepts?: readonly string[] | undefined;
  /** Labels to be kept with the entry. */
  readonly tags?: readonly string[] | undefined;
  /**
   * How long the image may be served from the cache once it is rendered, in seconds; 0: for ever. Whoever renders it
   * decides: a stored image keeps the lifetime it was stored with. Default: `IMGPROXY_CACHE_TTL_SECONDS`.
   */
  readonly lifetime?: number | undefined;
  /** Aborted when the client goes away. Others who wait for the same image still get it. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a request. */
export interface FetchResult {
  /** What the cache did: `String(status)` is the value of the `Cache-Status` header. */
  readonly status: CacheStatus;
  readonly image: CachedImage;
  /**
   * Names of the request headers that the answer depends on: the items of the response's `Vary` header, which is left out
   * where there are none. `Accept` where the request has `negotiated` or `accepts`, the headers of
   * `IMGPROXY_CACHE_KEY_HEADERS`, and `Cookie` where there are `IMGPROXY_CACHE_KEY_COOKIES`.
   */
  readonly vary: readonly string[];
}
