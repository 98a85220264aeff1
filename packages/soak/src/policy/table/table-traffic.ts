import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../seeded-random.js';
import type { ImageVersion } from '../images.js';
import type { HostClient, Seen } from './http-client.js';

/** How many images are stored before a fault begins. */
const KNOWN = { small: 96, large: 8 };
const SIZE = { small: 16_384, large: 1_300_000 };
const FRESH_FROM = 1000;
const WARM_UP_LANES = 16;
const PAUSE_MS = 50;
/** So many hits one after the other are no chance. */
const HITS_OF_A_WELL_STORE = 12;

/** What requests are made of. */
export interface Mix {
  /** Share of the requests that are for images which were stored before. */
  readonly hits: number;
  /** Share of the requests that are for large images. */
  readonly large: number;
  /** Requests a second. */
  readonly rate: number;
}

/** A request through the cache, and one without it that began at the same moment. */
export interface Pair {
  /** When they began, in milliseconds since the traffic did. */
  readonly at: number;
  readonly cached: Seen;
  readonly plain: Seen;
}

/** Requests for stored images and new ones to one host at a time. */
export class TableTraffic {
  readonly #mix: Mix;
  readonly #random: SeededRandom;
  readonly #turn = { small: 0, large: 0 };
  #fresh = FRESH_FROM;

  constructor(mix: Mix, seed: number) {
    this.#mix = mix;
    this.#random = new SeededRandom(seed);
  }

  /** Waits until all known images are hits. False where that takes longer than patience, in milliseconds. */
  async warmUp(client: HostClient, patience: number): Promise<boolean> {
    const sizes = this.#mix.large > 0 ? (['small', 'large'] as const) : (['small'] as const);
    const images = sizes.flatMap((size) => Array.from({ length: KNOWN[size] }, () => this.#known(size)));
    return (await waitFor(patience, () => areHits(client, images))) !== undefined;
  }

  /**
   * Sends pairs at a steady rate, however long their answers take: slow ones do not make the others fewer. Each for a
   * new image or a known one as the mix says.
   * @param duration in milliseconds
   */
  async run(client: HostClient, duration: number): Promise<Pair[]> {
    const began = performance.now();
    const pairs: Promise<Pair>[] = [];
    for (let at = 0; at < duration; at += 1000 / this.#mix.rate) {
      await delay(Math.max(0, at - (performance.now() - began)));
      pairs.push(this.#sendPair(client, began));
    }
    return await Promise.all(pairs);
  }

  /** How long it takes until known images are hits again, in milliseconds; `undefined` where patience ends before. */
  recover(client: HostClient, patience: number): Promise<number | undefined> {
    const images = Array.from({ length: HITS_OF_A_WELL_STORE }, () => this.#draw(1));
    return waitFor(patience, () => areHits(client, images));
  }

  async #sendPair(client: HostClient, began: number): Promise<Pair> {
    const image = this.#draw(this.#mix.hits);
    const alone = this.#new(image.size);
    const at = performance.now() - began;
    // Neither of the two is always the first.
    const first = this.#fresh % 2 === 0 ? client.get('cached', image) : undefined;
    const [plain, cached] = await Promise.all([
      client.get('plain', alone),
      first ?? client.get('cached', image),
    ]);
    return { at, cached, plain };
  }

  #draw(hits: number): ImageVersion {
    const size = this.#random.next() < this.#mix.large ? 'large' : 'small';
    return this.#random.next() < hits ? this.#known(size) : this.#new(SIZE[size]);
  }

  #known(size: 'small' | 'large'): ImageVersion {
    this.#turn[size] = (this.#turn[size] + 1) % KNOWN[size];
    return { source: this.#turn[size] + (size === 'large' ? KNOWN.small : 0), version: 0, size: SIZE[size] };
  }

  #new(size: number): ImageVersion {
    this.#fresh += 1;
    return { source: this.#fresh, version: 0, size };
  }
}

async function areHits(client: HostClient, images: readonly ImageVersion[]): Promise<boolean> {
  const left = [...images];
  let areAll = true;
  const lane = async (): Promise<void> => {
    for (let image = left.shift(); image !== undefined; image = left.shift()) {
      const { status, end } = await client.get('cached', image);
      areAll &&= end === 'whole' && /^hit\b(?!.*pending)/.test(status);
    }
  };
  await Promise.all(Array.from({ length: WARM_UP_LANES }, lane));
  return areAll;
}

async function waitFor(patience: number, reached: () => Promise<boolean>): Promise<number | undefined> {
  const began = performance.now();
  for (;;) {
    const isReached = await reached();
    const took = performance.now() - began;
    if (took > patience) return undefined;
    if (isReached) return took;
    await delay(PAUSE_MS);
  }
}
