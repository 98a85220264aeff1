import { type CacheDriverDefinition, defineCacheDriver } from '@imgproxy-cache/core/driver';
import { findFaults, s3Config } from './s3-config.js';
import { S3Driver } from './s3-driver.js';

export type { S3Config } from './s3-config.js';
export { S3Driver, type S3DriverOptions } from './s3-driver.js';

/** Stores entries as objects in a bucket of S3 or of a compatible store: `IMGPROXY_CACHE_USE=s3`. */
const s3: CacheDriverDefinition<typeof s3Config> = defineCacheDriver({
  name: 's3',
  contract: 1,
  config: s3Config,
  capabilities: { shared: true },
  validate: findFaults,
  create: (config, context) => new S3Driver(config, context),
});

export default s3;
