import type { ImageIdentity } from '../key/index.js';
import type { CacheStatus } from './cache-status.js';
import type { CachedImage } from './cached-image.js';

/** A request for an image. */
export interface CacheRequest extends ImageIdentity {
  /** Neither look up nor store. */
  readonly bypass?: boolean;
  /** Labels to be kept with the entry. */
  readonly tags?: readonly string[];
  /**
   * How long the image may be served from the cache once it is rendered, in seconds; 0: for ever. Whoever renders it
   * decides: a stored image keeps the lifetime it was stored with. Default: `IMGPROXY_CACHE_TTL_SECONDS`.
   */
  readonly lifetime?: number;
  /** Aborted when the client goes away. Others who wait for the same image still get it. */
  readonly signal?: AbortSignal | undefined;
}

/** The answer to a request. */
export interface FetchResult {
  /** What the cache did: `String(status)` is the value of the `Cache-Status` header. */
  readonly status: CacheStatus;
  readonly image: CachedImage;
}
