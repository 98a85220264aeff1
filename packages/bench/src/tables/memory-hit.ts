import { bentocacheMemoryHit } from '../peers/bentocache.js';
import { fetchHit, inMemory } from '../peers/imgproxy-cache.js';
import { cacheManagerHit, lruCacheHit } from '../peers/in-memory.js';
import type { Goal, Table } from '../table.js';

const NAME = 'ImageCache.fetch on memory';
// What the hit of a hot key cost before keys were remembered.
const COST_WITHOUT_MEMO = 3.6;

const bentocache = bentocacheMemoryHit(false);

function goal(bytes: number, below: number): Goal {
  return { contestant: NAME, peer: bentocache.name, figure: 'cpuMicroseconds', bytes, inFlight: 1, below };
}

export const memoryHit: Table = {
  name: 'memory-hit',
  title: 'A hit in memory, key included',
  operation: 'Make the key of a request and get its image, one of 64.',
  contestants: [
    fetchHit({ name: NAME, openStore: inMemory }),
    bentocache,
    bentocacheMemoryHit(true),
    cacheManagerHit,
    lruCacheHit,
  ],
  sizes: [50_000],
  inFlight: [1],
  goals: [goal(50_000, 1)],
};

/** With more keys than are remembered. */
function rotation(images: number, share: number): Table {
  return {
    name: `memory-hit-${images}`,
    title: `A hit in memory, ${images} keys in rotation`,
    operation: `The same with ${images} images in turn. Without remembered keys a hit cost ${COST_WITHOUT_MEMO} times the CPU of bentocache; the goal is ${share} of that.`,
    contestants: [fetchHit({ name: NAME, openStore: inMemory, images }), bentocacheMemoryHit(false, images)],
    sizes: [1_000],
    inFlight: [1],
    goals: [goal(1_000, share * COST_WITHOUT_MEMO)],
  };
}

export const memoryRotations: readonly Table[] = [rotation(8_000, 0.6), rotation(50_000, 1)];
