import { CACHE_CHANNELS, type CacheRequest, type ImageCache } from '@imgproxy-cache/core';
import { createEntry } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { bytesOf, cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

const variant = (source: string, width: number): CacheRequest => ({
  source,
  options: [['width', String(width)]],
  format: 'webp',
});

describe('deleting', () => {
  it('removes one image and leaves the other variants', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    for (const width of [1, 2]) await served(cache.fetch(variant('a', width), renderer()));
    await cache.delete(variant('a', 1));
    expect(memory.size).toBe(1);
    expect((await served(cache.fetch(variant('a', 2), renderer()))).status).toBe('imgproxy-cache; hit');
    await cache.delete(variant('a', 1));
  });

  it.each<[string, (cache: ImageCache) => Promise<unknown>]>([
    ['deleted', (cache) => cache.delete(variant('a', 1))],
    ['purged', (cache) => cache.purgeSource('a')],
  ])(
    'an image that is just being stored waits for the store, so that it cannot come back: %s',
    async (_how, end) => {
      const gate = Promise.withResolvers<void>();
      const { cache, memory, driver } = await cacheUnderTest(
        { IMGPROXY_CACHE_STORE_CONCURRENCY: '1' },
        { put: () => gate.promise },
      );
      await served(cache.fetch(variant('a', 1), renderer()));
      await until(() => driver.calls.put === 1);
      const ended = end(cache);
      gate.resolve();
      await ended;
      expect(memory.size).toBe(0);
    },
  );

  it('removes an image that still waits to be stored', async () => {
    const gate = Promise.withResolvers<void>();
    const { cache, memory, driver } = await cacheUnderTest(
      { IMGPROXY_CACHE_STORE_CONCURRENCY: '1' },
      { put: () => gate.promise },
    );
    await served(cache.fetch(variant('a', 1), renderer()));
    await served(cache.fetch(variant('a', 2), renderer()));
    await until(() => driver.calls.put === 1);
    await cache.delete(variant('a', 2));
    gate.resolve();
    await cache.close();
    expect(driver.calls.put).toBe(1);
    expect(memory.size).toBe(1);
  });

  it('keeps an image from being stored that is just being rendered, and gives it to those who asked before', async () => {
    const { cache, driver } = await cacheUnderTest();
    const gate = Promise.withResolvers<void>();
    const slow = renderer(async () => {
      await gate.promise;
      return { body: bytesOf(10, 1) };
    });
    const before = served(cache.fetch(REQUEST, slow));
    await until(() => slow.calls === 1);
    await cache.delete(REQUEST);
    const after = await served(cache.fetch(REQUEST, renderer({ body: bytesOf(10, 2) })));
    gate.resolve();
    expect((await before).status).toBe('imgproxy-cache; fwd=miss; detail=invalidated');
    expect(Buffer.compare((await before).body, bytesOf(10, 1))).toBe(0);
    expect(Buffer.compare(after.body, bytesOf(10, 2))).toBe(0);
    await cache.close();
    expect(driver.calls.put).toBe(1);
  });
});

describe('purging a source', () => {
  it('removes every variant of it and nothing else, with foreign names and other sources in the way', async () => {
    const { cache, memory } = await cacheUnderTest({
      IMGPROXY_CACHE_REPORT_ERRORS: '1',
      IMGPROXY_CACHE_PATH_PREFIX: 'shop/images',
    });
    for (let width = 1; width <= 30; width++) await served(cache.fetch(variant('a', width), renderer()));
    for (const source of ['b', 'a/', 'A', 'a?x=1']) await served(cache.fetch(variant(source, 1), renderer()));
    const [ofA = ''] = memory.names.slice(-1);
    const near = [
      `${ofA}0`,
      `${ofA}.tmp`,
      `${ofA}/x`,
      ofA.replace('shop/', 'shop2/'),
      `${ofA.slice(0, -64)}notes`,
    ];
    for (const name of near) {
      await memory.put(name, createEntry({ name, contentType: 'image/png', created: 0 }, bytesOf(1)));
    }
    expect(await cache.purgeSource('a')).toBe(30);
    expect(memory.size).toBe(4 + near.length);
    for (const name of near) expect(memory.peek(name)).toBeDefined();
    expect(await cache.purgeSource(Buffer.from('a'))).toBe(0);
  });

  it('fails with what the driver says, whatever the policy', async () => {
    const { cache } = await cacheUnderTest({}, { delete: () => Promise.reject(new Error('no')) });
    await served(cache.fetch(variant('a', 1), renderer()));
    await until(() => cache.health().status === 'healthy');
    await expect(cache.delete(variant('a', 1))).rejects.toMatchObject({ code: 'ERR_CACHE_DRIVER_CONTRACT' });
  });

  it('ends when the list hangs, at the deadline, and counts what lists cost', async () => {
    const { cache, clock, driver } = await cacheUnderTest({ IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '3' });
    const events: unknown[] = [];
    const listener = (event: unknown): void => void events.push(event);
    CACHE_CHANNELS.operation.subscribe(listener);
    try {
      await cache.purgeSource('a');
      expect(events).toMatchObject([{ operation: 'list', duration: 0 }]);
      driver.list = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) });
      const purged = expect(cache.purgeSource('a')).rejects.toMatchObject({
        code: 'ERR_CACHE_TIMEOUT',
        operation: 'list',
      });
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(3000);
      await purged;
    } finally {
      CACHE_CHANNELS.operation.unsubscribe(listener);
    }
  });

  it('does nothing where the cache is off', async () => {
    const { cache } = await cacheUnderTest({ IMGPROXY_CACHE_USE: '' });
    expect(await cache.purgeSource('a')).toBe(0);
    await cache.delete(REQUEST);
  });
});
