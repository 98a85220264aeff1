import { createImageCache } from '@imgproxy-cache/core';
import { CacheError, defineCacheDriver } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { expect, it } from 'vitest';
import { cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

it.each([0, null, '', 'false', Number.NaN, 'no'])(
  'a rendering with store: %j is refused, and not stored',
  async (store) => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    await expect(cache.fetch(REQUEST, renderer({ store: store as never }))).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_RETURN_VALUE',
      message:
        'render gave a store that is neither true nor false: an image that only this request may have needs false',
    });
    expect(memory.size).toBe(0);
  },
);

it('a logger that throws makes neither a start nor a request fail', async () => {
  const complain = (): never => {
    throw new Error('the disk of the log is full');
  };
  class Broken extends MemoryDriver {
    override get(): Promise<never> {
      return Promise.reject(new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is on fire'));
    }
  }
  const cache = await createImageCache({
    env: { IMGPROXY_CACHE_USE: 'broken' },
    logger: { debug: complain, info: complain, warn: complain, error: complain },
    drivers: [
      defineCacheDriver({
        name: 'broken',
        contract: 1,
        config: {},
        capabilities: { shared: false },
        create: () => new Broken(),
      }),
    ],
  });
  for (let request = 0; request < 5; request++) {
    expect((await served(cache.fetch({ ...REQUEST, source: String(request) }, renderer()))).body.length).toBe(
      1000,
    );
  }
  await cache.close();
});

it('a driver whose close hangs does not keep the cache from closing', async () => {
  const { cache, clock, driver } = await cacheUnderTest(
    { IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '2' },
    { close: () => new Promise<never>(() => undefined) },
  );
  const closing = cache.close();
  await until(() => driver.calls.close === 1);
  clock.advance(2000);
  await expect(closing).rejects.toMatchObject({ code: 'ERR_CACHE_TIMEOUT', operation: 'close' });
});
