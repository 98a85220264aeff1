import { createImageCache, type ImageCache, type Logger } from '@imgproxy-cache/core';
import { defineCacheDriver } from '@imgproxy-cache/core/driver';
import s3, { S3Driver, type S3DriverOptions } from '@imgproxy-cache/s3';
import { onTestFinished } from 'vitest';

export interface OpenCache {
  readonly cache: ImageCache;
  /** What was logged, a line each. */
  readonly log: readonly string[];
}

/**
 * A cache on the S3 driver, as a host makes it, that is closed with the test.
 * @param variables the whole environment, but for the choice of the driver.
 */
export async function openCache(
  variables: Readonly<Record<string, string | undefined>> = process.env,
  options: S3DriverOptions = {},
): Promise<OpenCache> {
  const log: string[] = [];
  const line = (_fields: object, message: string): void => void log.push(message);
  const logger: Logger = { debug: line, info: line, warn: line, error: line };
  const driver = defineCacheDriver({
    ...s3,
    create: (config, context) => new S3Driver(config, context, options),
  });
  const env = {
    IMGPROXY_CACHE_USE: 's3',
    IMGPROXY_CACHE_BUCKET: 'cache',
    IMGPROXY_CACHE_S3_USE_SDK_COMMANDS: process.env['IMGPROXY_CACHE_S3_USE_SDK_COMMANDS'],
    ...variables,
  };
  const cache = await createImageCache({ env, drivers: [driver], logger });
  onTestFinished(() => cache.close());
  return { cache, log };
}
