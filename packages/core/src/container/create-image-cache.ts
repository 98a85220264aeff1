import type { ImageCache } from '../cache/image-cache.js';
import type { Logger } from '../resilience/logger.js';
import type { CacheOptions } from './cache-configuration.js';
import { cacheModule } from './cache-module.js';
import { CACHE } from './tokens.js';

/** Options for a host without a container. */
export interface CreateImageCacheOptions extends CacheOptions {
  /** The logger. Default: lines on standard error. */
  readonly logger?: Logger | undefined;
}

/**
 * Creates a cache for a host without a container, and checks its drivers. `cache.close()` closes it.
 *
 * @throws CacheError as {@link cacheModule}, and the check's error if it fails and `IMGPROXY_CACHE_REPORT_ERRORS` is true
 * @throws TypeError for options of a wrong type
 */
export async function createImageCache({
  logger,
  ...options
}: CreateImageCacheOptions = {}): Promise<ImageCache> {
  if (logger !== undefined && !isLogger(logger)) {
    throw new TypeError('logger must have the functions debug, info, warn and error');
  }
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

function isLogger(logger: Partial<Logger> | null): boolean {
  const { debug, info, warn, error } = logger ?? {};
  return [debug, info, warn, error].every((log) => typeof log === 'function');
}
