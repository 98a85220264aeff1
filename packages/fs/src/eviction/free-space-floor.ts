import { statfs } from '../fs-calls.js';
import type { ClockEviction, OnEvicted, Pace } from './clock-eviction.js';

/** Share of the floor that may be stored between two checks of the file system. */
const STEP = 1 / 16;
// Evicts in parts, since other processes evict for the same floor at the same time.
const PART = 1 / 8;
const MIN_PART = 1024 * 1024;

const PACE: Pace = { lanes: 4, share: 1 / 8 };

/** `IMGPROXY_CACHE_FS_MIN_FREE_SPACE`: the space to keep free on the file system of the root. */
export class FreeSpaceFloor {
  readonly #floor: number;
  readonly #root: string;
  readonly #evictor: ClockEviction;

  constructor(floor: number, root: string, evictor: ClockEviction) {
    this.#floor = floor;
    this.#root = root;
    this.#evictor = evictor;
  }

  /** Bytes that may be stored between two checks. */
  get step(): number {
    return this.#floor * STEP;
  }

  /**
   * Evicts until the floor and one more step are free.
   * @returns `later` if the file system does not show the freed space yet, `nothing-evictable` if no entry could be
   *   evicted.
   */
  async enforce(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'later' | 'nothing-evictable'> {
    let free = await freeSpace(this.#root);
    if (free >= this.#floor) return 'done';
    const target = this.#floor + this.step;
    while (free < target && !signal.aborted) {
      const part = Math.max((target - free) * PART, MIN_PART);
      let freed = 0;
      const outcome = await this.#evictor.free(part, PACE, signal, (bytes) => {
        freed += bytes;
        onEvicted(bytes);
      });
      if (outcome === 'nothing-evictable') return 'nothing-evictable';
      const before = free;
      free = await freeSpace(this.#root);
      if (freed > 0 && free <= before) return 'later';
    }
    return 'done';
  }
}

async function freeSpace(root: string): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}
