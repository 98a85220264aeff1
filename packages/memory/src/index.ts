import { type CacheDriverDefinition, defineCacheDriver } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from './memory-driver.js';

export { MemoryDriver, type MemoryDriverOptions } from './memory-driver.js';

const CONFIG = {
  maxSize: {
    variable: 'IMGPROXY_CACHE_MEMORY_MAX_SIZE',
    type: 'integer',
    default: 67_108_864,
    min: 1,
    doc: 'Most bytes of all images together, each with 1 KiB for what is known about it. Past it the least recently used go.',
  },
  maxEntries: {
    variable: 'IMGPROXY_CACHE_MEMORY_MAX_ENTRIES',
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    doc: 'Most images. Past it the least recently used go.',
  },
} as const;

/** The driver that `IMGPROXY_CACHE_USE=memory` selects. */
const memory: CacheDriverDefinition<typeof CONFIG> = defineCacheDriver({
  name: 'memory',
  contract: 1,
  config: CONFIG,
  capabilities: { shared: false },
  create: (limits) => new MemoryDriver(limits),
});

export default memory;
