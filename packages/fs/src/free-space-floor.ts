import type { EvictionHand, Haste, OnEvicted } from './eviction-hand.js';
import { statfs } from './fs-calls.js';

/** Which part of the floor may be stored between two looks at the file system. */
const STEP = 1 / 16;
// Other processes do the same at the same time.
const PART_AT_ONCE = 1 / 8;
const LEAST_AT_ONCE = 1024 * 1024;

const HASTE: Haste = { lanes: 4, share: 1 / 8 };

/** `IMGPROXY_CACHE_FS_MIN_FREE_SPACE`: what the file system of the root shall have left for this user. */
export class FreeSpaceFloor {
  readonly #floor: number;
  readonly #root: string;
  readonly #hand: EvictionHand;

  constructor(floor: number, root: string, hand: EvictionHand) {
    this.#floor = floor;
    this.#root = root;
    this.#hand = hand;
  }

  get step(): number {
    return this.#floor * STEP;
  }

  /**
   * Evicts until the floor is free, and a step more.
   * @returns what is left to do: `later` where the file system shows freed space only after a while, `vain` where
   *   there was nothing to evict.
   */
  async hold(signal: AbortSignal, onEvicted: OnEvicted): Promise<'done' | 'later' | 'vain'> {
    let free = await freeSpace(this.#root);
    if (free >= this.#floor) return 'done';
    const enough = this.#floor + this.step;
    while (free < enough && !signal.aborted) {
      const part = Math.max((enough - free) * PART_AT_ONCE, LEAST_AT_ONCE);
      let freed = 0;
      const outcome = await this.#hand.free(part, HASTE, signal, (bytes) => {
        freed += bytes;
        onEvicted(bytes);
      });
      if (outcome === 'vain') return 'vain';
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
