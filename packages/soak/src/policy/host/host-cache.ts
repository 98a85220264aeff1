import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import type { CacheDriverDefinition } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import type { CacheDoor, HostMistake } from './host-mistake.js';
import { SuspendedOperations } from './suspended-operations.js';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The cache of a host, with drivers that can be told to go wrong, beside one that is off. */
export class HostCache {
  /** As requests see it. */
  readonly door: CacheDoor;
  readonly cache: ImageCache;
  /** Renders every request: what a host without a cache does. */
  readonly off: ImageCache;
  /** The drivers by their names. */
  readonly faults: ReadonlyMap<string, FaultDriver>;
  readonly suspended: SuspendedOperations;

  /** Opens what the environment says. */
  static async open({ driver = (right) => right, cache: door }: HostMistake): Promise<HostCache> {
    const suspended = new SuspendedOperations();
    const faults = new Map<string, FaultDriver>();
    const drivers: CacheDriverDefinition[] = [];
    for (const name of (process.env['IMGPROXY_CACHE_USE'] ?? '').split(',')) {
      const definition = await loadDriver(name);
      drivers.push({
        ...definition,
        create: (config, context) => {
          const made = new FaultDriver(driver(definition.create(config, context)));
          faults.set(name, made);
          return made;
        },
      });
    }
    const cache = await createImageCache({ drivers, logger });
    const off = await createImageCache({ env: {}, logger });
    return new HostCache({ cache, off, faults, suspended, door: door?.(cache) ?? cache });
  }

  private constructor({
    cache,
    off,
    faults,
    suspended,
    door,
  }: Pick<HostCache, 'cache' | 'off' | 'faults' | 'suspended' | 'door'>) {
    this.cache = cache;
    this.off = off;
    this.faults = faults;
    this.suspended = suspended;
    this.door = door;
  }
}

/** Only those that are used: a host that is to be killed soon should start fast. */
async function loadDriver(name: string): Promise<CacheDriverDefinition> {
  switch (name) {
    case 'memory':
      return (await import('@imgproxy-cache/memory')).default;
    case 'fs':
      return (await import('@imgproxy-cache/fs')).default;
    case 's3':
      return (await import('@imgproxy-cache/s3')).default;
    default:
      throw new Error(`no host of this soak has a driver ${name}`);
  }
}
