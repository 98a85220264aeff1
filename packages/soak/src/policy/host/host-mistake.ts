import type { ImageCache } from '@imgproxy-cache/core';
import type { CacheDriver } from '@imgproxy-cache/core/driver';

/** The part of a cache that requests use. */
export type CacheDoor = Pick<ImageCache, 'fetch' | 'delete' | 'health'>;

/** Something that a test gets wrong in a host, to see a judgement fail. A module exports it as `mistake`. */
export interface HostMistake {
  /** Takes a driver's place. */
  driver?(driver: CacheDriver): CacheDriver;
  /** Takes the cache's place. */
  cache?(cache: CacheDoor): CacheDoor;
}

/** Where a host finds the mistake it is to make: the URL of its module. */
export const MISTAKE_VARIABLE = 'SOAK_MISTAKE';

/** The mistake that this process is told to make. */
export async function loadMistake(): Promise<HostMistake> {
  const url = process.env[MISTAKE_VARIABLE];
  if (url === undefined) return {};
  const { mistake } = (await import(url)) as { readonly mistake?: HostMistake };
  if (mistake === undefined) throw new Error(`${url} does not export a mistake`);
  return mistake;
}
