import { IMAGES, imageBody } from '../bodies.js';
import { bentocacheMemoryHit } from '../peers/bentocache.js';
import { OUR_VERSION, openCache, renderer, requestOf } from '../peers/imgproxy-cache.js';
import { cacheManagerHit, lruCacheHit } from '../peers/in-memory.js';
import type { Contestant, Table } from '../table.js';

const ours: Contestant = {
  name: 'ImageCache.fetch on memory',
  version: OUR_VERSION,
  settings: 'defaults: SHA-256 key, single flight, deadline, events',
  async open(bytes) {
    const cache = await openCache({
      IMGPROXY_CACHE_USE: 'memory',
      IMGPROXY_CACHE_REPORT_ERRORS: '1',
      IMGPROXY_CACHE_MEMORY_MAX_SIZE: '200000000',
    });
    for (let index = 0; index < IMAGES; index++) {
      await cache.fetch(requestOf(index), renderer(imageBody(bytes, index)));
    }
    const miss = (): never => {
      throw new Error('a miss where a hit was expected');
    };
    return {
      async run(index) {
        const { image } = await cache.fetch(requestOf(index % IMAGES), miss);
        return image.bytes();
      },
      close: () => cache.close(),
    };
  },
};

const bentocacheDefault = bentocacheMemoryHit(true);

export const memoryHit: Table = {
  name: 'memory-hit',
  title: 'A hit in memory, key included',
  operation: 'Make the key of a request and get its image.',
  contestants: [ours, bentocacheMemoryHit(false), bentocacheDefault, cacheManagerHit, lruCacheHit],
  sizes: [5_000, 50_000, 1_000_000],
  inFlight: [1],
  goals: [
    { contestant: ours.name, figure: 'cpuMicroseconds', bytes: 50_000, inFlight: 1, below: 3 },
    {
      contestant: ours.name,
      peer: bentocacheDefault.name,
      figure: 'operationsPerSecond',
      bytes: 50_000,
      inFlight: 1,
      atLeast: 3,
    },
  ],
};
