import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ImageCache } from '@imgproxy-cache/core';
import { type CacheDriver, systemClock } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import { SeededRandom } from '../../seeded-random.js';
import type { Judgement, SoakResult } from '../../soak.js';
import { Tally } from '../../tally.js';
import { urlOf } from '../images.js';
import { bareCache } from './bare-cache.js';
import { ForgetfulDriver } from './forgetful-driver.js';
import { MemoryGrowth } from './memory-growth.js';

const LANES = 64;
const ROUNDS = 6;
const BODY_BYTES = 1000;
/** Share of the driver's calls that fail, and of the requests that are given up or whose rendering fails. */
const TROUBLE = 0.1;
/** Share of the keys before which nothing is measured: until then Node.js sets itself up. */
const WARM_UP = 0.2;

/** What is not stored when it is judged never will be. */
const ENV = { IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS: '0' };

export interface DistinctKeysOptions {
  readonly seed: number;
  readonly keys: number;
  /** What a test has wrong. */
  readonly driver?: CacheDriver;
}

/** Requests of which no two are for the same image: some are hits of nobody, some fail, some are given up. */
export async function runDistinctKeys({
  seed,
  keys,
  driver = new ForgetfulDriver(),
}: DistinctKeysOptions): Promise<SoakResult> {
  const faults = new FaultDriver(driver, { seed });
  for (const point of ['get', 'put'] as const) {
    faults.inject(point, { kind: 'error' }, { probability: TROUBLE });
  }
  const cache = bareCache({ forgetful: faults }, systemClock, ENV);
  const growth = new MemoryGrowth();
  const requests = new DistinctRequests(cache, seed);
  await requests.run(Math.floor(keys * WARM_UP));
  for (let round = 1; round <= ROUNDS; round += 1) {
    await requests.run(Math.floor(keys / ROUNDS));
    growth.sample(requests.asked);
  }
  const judgements = [
    growth.judge('distinct images leave no memory behind'),
    judgeLoad(cache, requests.asked),
  ];
  await cache.close();
  return { outcomes: requests.tally.outcomes(), judgements };
}

class DistinctRequests {
  readonly tally = new Tally();
  asked = 0;
  readonly #cache: ImageCache;
  readonly #random: SeededRandom;

  constructor(cache: ImageCache, seed: number) {
    this.#cache = cache;
    this.#random = new SeededRandom(seed);
  }

  /** Asks for so many images that nobody has asked for, and waits until nothing is under way. */
  async run(count: number): Promise<void> {
    let left = count;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#ask();
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    for (let look = 0; look < 1000 && isBusy(this.#cache); look += 1) await nextTurn();
  }

  async #ask(): Promise<void> {
    this.asked += 1;
    const chance = this.#random.next();
    const controller = new AbortController();
    const asking = this.#cache.fetch({ source: urlOf(this.asked), signal: controller.signal }, async () => {
      await nextTurn();
      if (chance > 1 - TROUBLE) throw new Error('the rendering failed');
      return { body: Buffer.alloc(BODY_BYTES, this.asked), contentType: 'image/webp' };
    });
    if (chance < TROUBLE) controller.abort();
    try {
      const { status, image } = await asking;
      await image.bytes();
      this.tally.add('distinct image', String(status).replace('imgproxy-cache; ', ''));
    } catch {
      this.tally.add('distinct image', chance < TROUBLE ? 'given up' : 'the rendering failed');
    }
  }
}

function isBusy(cache: ImageCache): boolean {
  const { flights, stores, bytes } = cache.load;
  return flights + stores + bytes > 0;
}

function judgeLoad(cache: ImageCache, asked: number): Judgement {
  const { flights, stores, bytes } = cache.load;
  return {
    name: 'nothing is under way after distinct images',
    holds: !isBusy(cache),
    figures: `${flights} flights, ${stores} stores and ${bytes} bytes after ${asked} requests`,
  };
}
