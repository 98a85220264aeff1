import { setImmediate as nextTurn } from 'node:timers/promises';
import { CACHE, cacheModule, type Environment, type ImageCache } from '@imgproxy-cache/core';
import { type CacheDriver, type Clock, defineCacheDriver, systemClock } from '@imgproxy-cache/core/driver';
import { FaultDriver, ManualClock } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { Container } from 'inversify';
import { describeLoad } from '../host/host.js';
import { urlOf } from '../images.js';
import { MemorySamples } from '../memory.js';
import { SeededRandom } from '../random.js';
import { inLanes, type SoakResult, Tally } from '../soak.js';
import { SILENT_LOGGER } from '../stores.js';

const LANES = 64;
const ROUNDS = 6;
const BODY_BYTES = 1000;
/** Share of the driver's calls that fail, and of the requests that are aborted or whose rendering fails. */
const TROUBLE = 0.1;
/** Share of the keys before which nothing is measured: until then Node.js sets itself up. */
const WARM_UP = 0.2;

const HOUR = 3_600_000;
/** Requests that begin at the same moment of the hour. */
const TOGETHER = 2;
const SOURCES = 500;
/** The store fails for one minute in ten. */
const OUTAGE = 60_000;
const OUTAGE_EVERY = 600_000;
const SAMPLE_EVERY = HOUR / 6;

/** Opens a cache whose tiers are these drivers, and whose time is a clock's. */
async function openCache(
  drivers: Readonly<Record<string, CacheDriver>>,
  clock: Clock,
  env: Environment,
): Promise<ImageCache> {
  const definitions = Object.entries(drivers).map(([name, driver]) =>
    defineCacheDriver({
      name,
      contract: 1,
      config: {},
      capabilities: { shared: false },
      create: () => driver,
    }),
  );
  const container = new Container();
  const use = Object.keys(drivers).join();
  container.load(await cacheModule({ env: { IMGPROXY_CACHE_USE: use, ...env }, drivers: definitions }));
  container.rebind(CACHE.Clock).toConstantValue(clock);
  container.rebind(CACHE.Logger).toConstantValue(SILENT_LOGGER);
  return container.get<ImageCache>(CACHE.ImageCache);
}

/** Requests images of {@link urlOf}, and counts how the requests end. */
async function ask(
  cache: ImageCache,
  source: number,
  {
    count,
    render = () => undefined,
    signal,
  }: {
    count(outcome: string): void;
    render?: () => unknown;
    signal?: AbortSignal;
  },
): Promise<void> {
  const { status, image } = await cache.fetch({ source: urlOf(source), signal }, async () => {
    await render();
    return { body: Buffer.alloc(BODY_BYTES, source), contentType: 'image/webp' };
  });
  await image.bytes();
  count(String(status).replace('imgproxy-cache; ', ''));
}

/** Keeps nothing, so that what is left afterwards was kept by the cache. */
class ForgetfulDriver extends MemoryDriver {
  override async put(): Promise<void> {}
}

export interface DistinctKeysOptions {
  readonly seed: number;
  readonly keys: number;
  /** What a test has wrong. */
  readonly driver?: CacheDriver;
}

/** Requests of which no two are for the same image; some are aborted, and some renderings and stores fail. */
export async function runDistinctKeys(options: DistinctKeysOptions): Promise<SoakResult> {
  const { seed, keys, driver = new ForgetfulDriver() } = options;
  const faults = new FaultDriver(driver, { seed });
  for (const point of ['get', 'put'] as const) {
    faults.inject(point, { kind: 'error' }, { probability: TROUBLE });
  }
  const cache = await openCache({ forgetful: faults }, systemClock, {
    // A store that hangs is still under way when it is judged, and is not waited for.
    IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '3600',
    IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS: '0',
  });
  const [random, tally, memory] = [new SeededRandom(seed), new Tally(), new MemorySamples()];
  const count = (outcome: string): void => tally.add('distinct image', outcome);
  let asked = 0;
  const runUntil = async (last: number): Promise<void> => {
    await inLanes(LANES, async () => {
      if (asked >= last) return false;
      asked += 1;
      const chance = random.next();
      const controller = new AbortController();
      const render = async () => {
        await nextTurn();
        if (chance > 1 - TROUBLE) throw new Error('the rendering failed');
      };
      const asking = ask(cache, asked, { count, render, signal: controller.signal });
      if (chance < TROUBLE) controller.abort();
      await asking.catch(() => count(chance < TROUBLE ? 'aborted' : 'the rendering failed'));
      return true;
    });
    for (let look = 0; look < 1000 && describeLoad(cache.load) !== undefined; look += 1) await nextTurn();
  };
  await runUntil(keys * WARM_UP);
  for (let round = 1; round <= ROUNDS; round += 1) {
    await runUntil(keys * (WARM_UP + round / ROUNDS));
    memory.take(asked);
  }
  const load = describeLoad(cache.load);
  await cache.close();
  return {
    outcomes: tally.outcomes(),
    judgements: [
      memory.judgeGrowth('distinct images leave no memory behind'),
      {
        name: 'nothing is under way after distinct images',
        holds: load === undefined,
        figures: `${load ?? 'nothing'} after ${asked} requests`,
      },
    ],
  };
}

export interface SimulatedHourOptions {
  readonly seed: number;
  /** How much time passes between requests, in milliseconds. */
  readonly step: number;
  /** What a test has wrong. */
  readonly driver?: CacheDriver;
}

/** An hour of requests for a fixed set of images on two tiers, of which the second fails now and then. */
export async function runSimulatedHour(options: SimulatedHourOptions): Promise<SoakResult> {
  const { seed, step, driver = new MemoryDriver() } = options;
  const clock = new ManualClock();
  const store = new FaultDriver(driver, { clock, seed });
  // Images live for two and a half minutes, and for one in the first tier.
  const cache = await openCache({ first: new MemoryDriver(), store }, clock, {
    IMGPROXY_CACHE_TTL_SECONDS: '150',
    IMGPROXY_CACHE_TIER_TTL_SECONDS: '60',
  });
  const [random, tally, memory] = [new SeededRandom(seed), new Tally(), new MemorySamples()];
  const count = (outcome: string): void => tally.add('simulated hour', outcome);
  for (let time = step; time <= SAMPLE_EVERY + HOUR; time += step) {
    clock.advance(step);
    if (time % OUTAGE_EVERY === 0) store.inject('get', { kind: 'error' });
    if (time % OUTAGE_EVERY === OUTAGE) store.clear();
    const asking = Array.from({ length: TOGETHER }, () => ask(cache, random.below(SOURCES), { count }));
    await Promise.all(asking);
    await nextTurn();
    if (time > SAMPLE_EVERY && time % SAMPLE_EVERY === 0) memory.take(tally.count('simulated hour'));
  }
  const load = describeLoad(cache.load);
  // There is one for each kind of deadline that was ever set, and none for a request.
  const { timers } = clock;
  const closed = cache.close();
  // Closing has deadlines on the same clock.
  clock.advance(HOUR);
  await closed;
  const requests = tally.count('simulated hour');
  return {
    outcomes: tally.outcomes(),
    judgements: [
      memory.judgeGrowth('an hour of traffic has flat memory'),
      {
        name: 'nothing is under way after an hour',
        holds: load === undefined && timers < TOGETHER * 10,
        figures: `${load ?? 'nothing'} and ${timers} timers after ${requests} requests`,
      },
    ],
  };
}
