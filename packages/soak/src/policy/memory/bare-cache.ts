import {
  CacheKeyBuilder,
  CORE_TABLE,
  type Environment,
  errorReporting,
  ImageCache,
  readConfig,
} from '@imgproxy-cache/core';
import type { CacheDriver, Clock } from '@imgproxy-cache/core/driver';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A cache of these drivers whose time is a clock's. */
export function bareCache(
  drivers: Readonly<Record<string, CacheDriver>>,
  clock: Clock,
  env: Environment,
): ImageCache {
  const { values } = readConfig(CORE_TABLE, env);
  return new ImageCache({
    drivers: Object.entries(drivers).map(([name, driver]) => ({ name, driver })),
    keys: new CacheKeyBuilder({ prefix: '', namespace: '', headers: [], cookies: [] }),
    reporting: errorReporting(false),
    settings: values,
    clock,
    logger,
  });
}
