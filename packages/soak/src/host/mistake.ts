import type { ImageCache } from '@imgproxy-cache/core';
import type { CacheDriver } from '@imgproxy-cache/core/driver';

/** The part of a cache that requests use. */
export type RequestedCache = Pick<ImageCache, 'fetch' | 'delete' | 'health'>;

/**
 * A fault that a test builds into a host, to see a judgement fail. A module exports it as `mistake`, and the variable
 * `SOAK_MISTAKE` of the host has the module's URL.
 */
export interface HostMistake {
  /** Wraps the driver. */
  driver?(driver: CacheDriver): CacheDriver;
  /** Wraps the cache. */
  cache?(cache: RequestedCache): RequestedCache;
}
