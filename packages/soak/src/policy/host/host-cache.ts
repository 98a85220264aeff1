import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import type { CacheDriverDefinition } from '@imgproxy-cache/core/driver';
import type { CacheDoor, HostMistake } from './host-mistake.js';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The cache of a host, beside one that is off. */
export class HostCache {
  /** As requests see it. */
  readonly door: CacheDoor;
  readonly cache: ImageCache;
  /** Renders every request: what a host without a cache does. */
  readonly off: ImageCache;

  /** Opens what the environment says. */
  static async open({ driver = (right) => right, cache: door }: HostMistake): Promise<HostCache> {
    const definition = await loadDriver(process.env['IMGPROXY_CACHE_USE'] ?? '');
    const create: CacheDriverDefinition['create'] = (config, context) =>
      driver(definition.create(config, context));
    const cache = await createImageCache({ drivers: [{ ...definition, create }], logger });
    const off = await createImageCache({ env: {}, logger });
    return new HostCache(door?.(cache) ?? cache, cache, off);
  }

  private constructor(door: CacheDoor, cache: ImageCache, off: ImageCache) {
    this.door = door;
    this.cache = cache;
    this.off = off;
  }
}

/** Only the one that is used: a host that is to be killed soon should start fast. */
async function loadDriver(name: string): Promise<CacheDriverDefinition> {
  switch (name) {
    case 'fs':
      return (await import('@imgproxy-cache/fs')).default;
    case 's3':
      return (await import('@imgproxy-cache/s3')).default;
    default:
      throw new Error(`no host of this soak has a driver ${name}`);
  }
}
