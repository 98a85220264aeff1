import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import { type CacheDriver, defineCacheDriver, type StoredEntry } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';
import { ManualClock, openCache, REQUEST, renderer, served } from './cache-under-test.js';

const HIT = 'imgproxy-cache; hit';
const TEN_SECONDS = { IMGPROXY_CACHE_TTL_SECONDS: '10', IMGPROXY_CACHE_REPORT_ERRORS: 'true' };

async function cacheOn(driver: CacheDriver): Promise<ImageCache> {
  return await createImageCache({
    env: { IMGPROXY_CACHE_USE: 'own', IMGPROXY_CACHE_REPORT_ERRORS: 'true' },
    drivers: [
      defineCacheDriver({
        name: 'own',
        contract: 1,
        config: {},
        capabilities: { shared: false },
        create: () => driver,
      }),
    ],
  });
}

async function hit(cache: ImageCache): Promise<string> {
  await served(cache.fetch(REQUEST, renderer()));
  return (await served(cache.fetch(REQUEST, renderer()))).status;
}

describe('an entry that a driver holds', () => {
  it('is a hit without a get', async () => {
    let gets = 0;
    class Holding extends MemoryDriver {
      override held(...asked: Parameters<MemoryDriver['held']>): ReturnType<MemoryDriver['held']> {
        return super.held(...asked);
      }
      override get(...asked: Parameters<MemoryDriver['get']>): Promise<StoredEntry | undefined> {
        gets++;
        return super.get(...asked);
      }
    }
    const cache = await cacheOn(new Holding());
    await served(cache.fetch(REQUEST, renderer()));
    gets = 0;
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(HIT);
    expect(gets).toBe(0);
    await cache.close();
  });

  it('never bypasses a subclass that overrides get', async () => {
    let gets = 0;
    class Counting extends MemoryDriver {
      override get(...asked: Parameters<MemoryDriver['get']>): Promise<StoredEntry | undefined> {
        gets++;
        return super.get(...asked);
      }
    }
    const cache = await cacheOn(new Counting());
    gets = 0;
    expect(await hit(cache)).toBe(HIT);
    expect(gets).toBe(2);
    await cache.close();
  });

  it('never bypasses a get that was replaced since, as spies do', async () => {
    const driver = new MemoryDriver();
    const cache = await cacheOn(driver);
    await served(cache.fetch(REQUEST, renderer()));
    let gets = 0;
    const { get } = driver;
    driver.get = (...asked) => {
      gets++;
      return get.apply(driver, asked);
    };
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(HIT);
    expect(gets).toBe(1);
    await cache.close();
  });

  it('expires', async () => {
    const clock = new ManualClock();
    const { cache } = await openCache({ memory: new MemoryDriver() }, TEN_SECONDS, undefined, clock);
    await served(cache.fetch(REQUEST, renderer()));
    clock.advance(9_999);
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(HIT);
    clock.advance(1);
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; stored; detail=expired',
    );
  });
});
