import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CacheDriver } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { SeededRandom } from '../../seeded-random.js';
import type { SoakResult } from '../../soak.js';
import { Tally } from '../../tally.js';
import { urlOf } from '../images.js';
import { bareCache } from './bare-cache.js';
import { ManualClock } from './manual-clock.js';
import { MemoryGrowth } from './memory-growth.js';

const HOUR = 3_600_000;
/** Requests that begin at the same moment. */
const TOGETHER = 2;
const SOURCES = 500;
const BODY_BYTES = 4000;
/** The store fails for one minute in ten, in milliseconds. */
const OUTAGE = 60_000;
const OUTAGE_EVERY = 600_000;
const WARM_UP = HOUR / 6;
const SAMPLE_EVERY = HOUR / 6;

/** Images live for two minutes and a half, and for one in the first tier. */
const ENV = { IMGPROXY_CACHE_TTL_SECONDS: '150', IMGPROXY_CACHE_TIER_TTL_SECONDS: '60' };

export interface SimulatedHourOptions {
  readonly seed: number;
  /** How much time passes between requests, in milliseconds. */
  readonly step: number;
  /** What a test has wrong. */
  readonly driver?: CacheDriver;
}

/** An hour's traffic of a fixed set of images on two tiers, of which the second fails now and then. */
export async function runSimulatedHour({
  seed,
  step,
  driver = new MemoryDriver(),
}: SimulatedHourOptions): Promise<SoakResult> {
  const clock = new ManualClock();
  const store = new FaultDriver(driver, { clock, seed });
  const cache = bareCache({ memory: new MemoryDriver(), store }, clock, ENV);
  const random = new SeededRandom(seed);
  const tally = new Tally();
  const growth = new MemoryGrowth();
  let requests = 0;
  const ask = async (): Promise<void> => {
    requests += 1;
    const source = random.below(SOURCES);
    const { status, image } = await cache.fetch({ source: urlOf(source) }, () => ({
      body: Buffer.alloc(BODY_BYTES, source),
      contentType: 'image/webp',
    }));
    await image.bytes();
    tally.add('simulated hour', String(status).replace('imgproxy-cache; ', ''));
  };
  for (let time = step; time <= WARM_UP + HOUR; time += step) {
    clock.advance(step);
    if (time % OUTAGE_EVERY === 0) store.inject('get', { kind: 'error' });
    if (time % OUTAGE_EVERY === OUTAGE) store.clear();
    await Promise.all(Array.from({ length: TOGETHER }, ask));
    await nextTurn();
    if (time > WARM_UP && time % SAMPLE_EVERY === 0) growth.sample(requests);
  }
  const { flights, stores, bytes } = cache.load;
  // One for each kind of deadline that was ever set, and none for a request.
  const timers = clock.pending;
  const closed = cache.close();
  // It drains by the same clock.
  clock.advance(HOUR);
  await closed;
  return {
    outcomes: tally.outcomes(),
    judgements: [
      growth.judge('an hour of traffic has flat memory'),
      {
        name: 'nothing is under way after an hour',
        holds: flights + stores + bytes === 0 && timers < TOGETHER * 10,
        figures: `${flights} flights, ${stores} stores, ${bytes} bytes and ${timers} timers after ${requests} requests`,
      },
    ],
  };
}
