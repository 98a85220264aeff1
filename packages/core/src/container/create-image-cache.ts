import type { ImageCache } from '../cache/index.js';
import type { Logger } from '../policy/index.js';
import type { CacheOptions } from './cache-configuration.js';
import { cacheModule } from './cache-module.js';
import { CACHE } from './tokens.js';

/** Options for a host without a container of its own. */
export interface CreateImageCacheOptions extends CacheOptions {
  /** Where the cache logs. Default: lines on standard error. */
  readonly logger?: Logger | undefined;
}

/**
 * Makes a cache for a host that has no container, and checks its driver. `cache.close()` ends it.
 *
 * @throws CacheError as {@link cacheModule} does, and where the check fails and `IMGPROXY_CACHE_REPORT_ERRORS`
 *   is true
 */
export async function createImageCache({
  logger,
  ...options
}: CreateImageCacheOptions = {}): Promise<ImageCache> {
  const { Container } = await import('./inversify.js');
  const container = new Container();
  container.load(await cacheModule(options));
  if (logger !== undefined) container.rebind<Logger>(CACHE.Logger).toConstantValue(logger);
  const cache = container.get<ImageCache>(CACHE.ImageCache);
  try {
    await cache.ready();
  } catch (error) {
    await cache.close().catch(() => undefined);
    throw error;
  }
  return cache;
}
