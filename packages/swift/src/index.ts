import { type CacheDriverDefinition, defineCacheDriver } from '@imgproxy-cache/core/driver';
import { findFaults, swiftConfig } from './swift-config.js';
import { SwiftDriver } from './swift-driver.js';

export type { SwiftConfig } from './swift-config.js';
export { SwiftDriver, type SwiftDriverOptions } from './swift-driver.js';

/** Keeps entries as objects in a container of OpenStack Swift: `IMGPROXY_CACHE_USE=swift`. */
const swift: CacheDriverDefinition<typeof swiftConfig> = defineCacheDriver({
  name: 'swift',
  contract: 1,
  config: swiftConfig,
  capabilities: { shared: true },
  validate: findFaults,
  create: (config, context) => new SwiftDriver(config, context),
});

export default swift;
