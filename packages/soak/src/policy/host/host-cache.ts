import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import type { CacheDriverDefinition, ConfigTable } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import fs from '@imgproxy-cache/fs';
import memory from '@imgproxy-cache/memory';
import s3 from '@imgproxy-cache/s3';
import type { CacheDoor, HostMistake } from './host-mistake.js';

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

  /** Opens what the environment says. */
  static async open({ driver = (right) => right, cache: door }: HostMistake): Promise<HostCache> {
    const faults = new Map<string, FaultDriver>();
    const faulty = <Table extends ConfigTable>(definition: CacheDriverDefinition<Table>) => ({
      ...definition,
      create: (...args: Parameters<typeof definition.create>) => {
        const made = new FaultDriver(driver(definition.create(...args)));
        faults.set(definition.name, made);
        return made;
      },
    });
    const drivers = [faulty(memory), faulty(fs), faulty(s3)] as unknown as CacheDriverDefinition[];
    const cache = await createImageCache({ drivers, logger });
    const off = await createImageCache({ env: {}, logger });
    return new HostCache(cache, off, faults, door?.(cache) ?? cache);
  }

  private constructor(
    cache: ImageCache,
    off: ImageCache,
    faults: ReadonlyMap<string, FaultDriver>,
    door: CacheDoor,
  ) {
    this.cache = cache;
    this.off = off;
    this.faults = faults;
    this.door = door;
  }
}
