import { setTimeout as delay } from 'node:timers/promises';
import type { ImageVersion } from '../images.js';
import type { HostCache } from './host-cache.js';
import { isStoredHit, request } from './requests.js';

const KNOWN = 32;
/** Those that are asked for most: a small first tier has them, and not the others. */
const HOT = 4;
const SIZE = 16_384;
const PAUSE = 50;
/** At a time: a store that has just been started is not to be overrun. */
const LANES = 4;

/** Images that are stored before a fault begins, and any number that nobody has seen. */
export class KnownImages {
  readonly #cache: HostCache;
  #known = 0;
  #fresh = KNOWN;

  constructor(cache: HostCache) {
    this.#cache = cache;
  }

  /** One that is stored: every second one of the few that are asked for most. */
  known(): ImageVersion {
    this.#known += 1;
    const source = this.#known % 2 === 0 ? (this.#known / 2) % HOT : this.#known % KNOWN;
    return { source, version: 0, size: SIZE };
  }

  fresh(): ImageVersion {
    this.#fresh += 1;
    return { source: this.#fresh, version: 0, size: SIZE };
  }

  /** Waits until all known images are hits. False where that takes longer than patience, in milliseconds. */
  async store(patience: number): Promise<boolean> {
    return (await this.#waitFor(patience, () => this.#areStored())) !== undefined;
  }

  /**
   * Waits until new images are stored and are hits, known ones too, and all drivers are healthy.
   * @param patience in milliseconds
   * @returns after how many milliseconds; `undefined` where patience has ended
   */
  recover(patience: number): Promise<number | undefined> {
    return this.#waitFor(patience, async () => {
      const image = this.fresh();
      await this.#ask(image);
      await this.#settle();
      const hits = [await this.#ask(image), await this.#ask(this.known())];
      return hits.every((hit) => hit) && this.#cache.door.health().status === 'healthy';
    });
  }

  async #areStored(): Promise<boolean> {
    const left = Array.from({ length: KNOWN }, (_, source) => ({ source, version: 0, size: SIZE }));
    const hits: boolean[] = [];
    const lane = async (): Promise<void> => {
      for (let image = left.shift(); image !== undefined; image = left.shift()) {
        hits.push(await this.#ask(image));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await this.#settle();
    return hits.every((hit) => hit) && this.#cache.door.health().status === 'healthy';
  }

  async #ask(image: ImageVersion): Promise<boolean> {
    // A request that is not answered is told where requests are measured.
    return await request(this.#cache.door, image).then(isStoredHit, () => false);
  }

  /** What is stored behind the requests' backs, as far as it is stored soon. */
  async #settle(): Promise<void> {
    for (let look = 0; this.#cache.cache.load.stores > 0 && look < 20; look += 1) await delay(5);
  }

  async #waitFor(patience: number, reached: () => Promise<boolean>): Promise<number | undefined> {
    const began = performance.now();
    for (;;) {
      const isReached = await reached();
      const took = performance.now() - began;
      if (took > patience) return undefined;
      if (isReached) return took;
      await delay(PAUSE);
    }
  }
}
