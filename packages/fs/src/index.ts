import { type CacheDriverDefinition, defineCacheDriver } from '@imgproxy-cache/core/driver';
import { findFaults, fsConfig } from './fs-config.js';
import { FsDriver } from './fs-driver.js';

export type { FsConfig } from './fs-config.js';
export { FsDriver } from './fs-driver.js';

/** Keeps entries as files below a folder: `IMGPROXY_CACHE_USE=fs`. */
const fs: CacheDriverDefinition<typeof fsConfig> = defineCacheDriver({
  name: 'fs',
  contract: 1,
  config: fsConfig,
  capabilities: { shared: true },
  validate: findFaults,
  create: (config, context) => new FsDriver(config, context),
});

export default fs;
