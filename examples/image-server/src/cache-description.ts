import type { ImageCache, ImageCacheSettings } from '@imgproxy-cache/core';

/** What the cache does, in words. */
export interface CacheDescription {
  /** Name of the driver; blank: the cache is off. */
  readonly driver: string;
  readonly text: string;
}

export function describeCache(
  cache: ImageCache,
  { maxEntrySize }: ImageCacheSettings,
  env: NodeJS.ProcessEnv,
): CacheDescription {
  const driver = cache.driverName ?? '';
  if (driver === '')
    return { driver, text: 'off, every request renders its image (IMGPROXY_CACHE_USE is blank)' };
  const places = new Map([
    ['fs', `${env['IMGPROXY_CACHE_FS_ROOT']}`],
    ['memory', 'the memory of this process'],
  ]);
  const place = places.get(driver) ?? 'a store of its own';
  return { driver, text: `${driver}, in ${place}, images of up to ${maxEntrySize / 1024 / 1024} MiB` };
}
