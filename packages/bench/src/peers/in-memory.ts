import { createCache } from 'cache-manager';
import { LRUCache } from 'lru-cache';
import { IMAGES, imageBody } from '../bodies.js';
import type { Contestant } from '../table.js';
import { versionOf } from '../versions.js';
import { keyOf } from './bentocache.js';

/** The floor: a map look-up, no promise, no policy. */
export const lruCacheHit: Contestant = {
  name: 'lru-cache get',
  version: `lru-cache ${versionOf('lru-cache')}`,
  settings: 'max: 10000; synchronous, no policy',
  async open(bytes) {
    const cache = new LRUCache<string, Buffer>({ max: 10_000 });
    for (let index = 0; index < IMAGES; index++) cache.set(keyOf(index), imageBody(bytes, index));
    return { run: (index) => cache.get(keyOf(index % IMAGES)), close: async () => cache.clear() };
  },
};

export const cacheManagerHit: Contestant = {
  name: 'cache-manager wrap',
  version: `cache-manager ${versionOf('cache-manager')}`,
  settings: 'createCache() with its default store (keyv in memory); the body as a Buffer',
  async open(bytes) {
    const cache = createCache();
    for (let index = 0; index < IMAGES; index++) await cache.set(keyOf(index), imageBody(bytes, index));
    return {
      run: (index) => cache.wrap(keyOf(index % IMAGES), async () => imageBody(bytes, index)),
      close: async () => void (await cache.disconnect()),
    };
  },
};
