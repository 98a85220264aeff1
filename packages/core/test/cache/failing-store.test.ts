import { getMaxListeners } from 'node:events';
import { CacheError, StreamedEntry } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

const STRICT = { IMGPROXY_CACHE_REPORT_ERRORS: 'true' };
const QUEUED = 'imgproxy-cache; fwd=miss; detail=queued';
const unavailable = (): CacheError => new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is on fire');
const never = (): Promise<never> => new Promise(() => undefined);

describe('a look-up that fails', () => {
  it('renders without the cache: nothing is stored, one log line a kind and interval', async () => {
    const { cache, driver, log, clock } = await cacheUnderTest(
      {},
      { get: () => Promise.reject(unavailable()) },
    );
    for (let request = 0; request < 2; request++) {
      const { status, body } = await served(cache.fetch(REQUEST, renderer()));
      expect(status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_UNAVAILABLE');
      expect(body.length).toBe(1000);
    }
    expect(driver.calls.put).toBe(0);
    expect(log).toEqual([
      {
        level: 'warn',
        fields: {
          code: 'ERR_CACHE_UNAVAILABLE',
          operation: 'get',
          driver: 'hooked',
          retryable: true,
          suppressed: 0,
        },
        message: 'cache get failed, rendering without the cache: the store is on fire',
      },
    ]);
    expect(cache.health()).toMatchObject({
      status: 'degraded',
      code: 'ERR_CACHE_UNAVAILABLE',
      reason: 'the last get failed: the store is on fire',
    });
    clock.advance(60_000);
    await served(cache.fetch(REQUEST, renderer()));
    expect(log[1]?.fields).toMatchObject({ suppressed: 1 });
  });

  it('works again by itself', async () => {
    const { cache, hooks, memory } = await cacheUnderTest({}, { get: () => Promise.reject(unavailable()) });
    await served(cache.fetch(REQUEST, renderer()));
    delete hooks.get;
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(QUEUED);
    await until(() => memory.size === 1);
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe('imgproxy-cache; hit');
    expect(cache.health()).toMatchObject({ status: 'healthy' });
  });

  it('fails the requests of all who wait where errors are reported', async () => {
    const { cache } = await cacheUnderTest(STRICT, { get: () => Promise.reject(unavailable()) });
    const render = renderer();
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => cache.fetch(REQUEST, render)));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_CACHE_UNAVAILABLE', driver: 'hooked', operation: 'get' },
      });
    }
    expect(render.calls).toBe(0);
  });

  it('names a driver that breaks the contract, and hides what it threw', async () => {
    const { cache, log } = await cacheUnderTest(
      {},
      { get: () => Promise.reject(new Error('secret=hunter2')) },
    );
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=ERR_CACHE_DRIVER_CONTRACT',
    );
    expect(JSON.stringify(log)).toContain('driver hooked failed with something that is not a CacheError');
    expect(JSON.stringify(log)).not.toContain('hunter2');
  });

  it('that hangs delays a request by the deadline and no more, whether or not it obeys its signal', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const { cache, clock } = await cacheUnderTest(
      { IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.5' },
      {
        get: (_name, { signal }) => {
          signals.push(signal);
          return never();
        },
      },
    );
    const render = renderer();
    const request = served(cache.fetch(REQUEST, render));
    await until(() => signals.length === 1);
    clock.advance(499);
    await new Promise((resolve) => setImmediate(resolve));
    expect(render.calls).toBe(0);
    clock.advance(1);
    expect((await request).status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT');
    expect(signals[0]?.aborted).toBe(true);
  });

  it('gets a signal that many others may listen to as well', async () => {
    const limits: number[] = [];
    const { cache } = await cacheUnderTest(
      {},
      {
        get: async (_name, { signal }) => {
          if (signal !== undefined) limits.push(getMaxListeners(signal));
          return undefined;
        },
      },
    );
    await served(cache.fetch(REQUEST, renderer()));
    expect(limits).toEqual([0]);
  });

  it('that hangs while the body is read is bounded by the same deadline', async () => {
    const { cache, clock, memory, hooks } = await cacheUnderTest();
    await served(cache.fetch(REQUEST, renderer()));
    await until(() => memory.size === 1);
    const metadata = memory.peek(memory.names[0] ?? '')?.metadata;
    let closed = false;
    let reading = false;
    hooks.get = async () =>
      metadata &&
      new StreamedEntry(metadata, {
        bytes: (signal) => {
          reading = true;
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason)),
          );
        },
        chunks: never as never,
        close: async () => {
          closed = true;
        },
      });
    const request = served(cache.fetch(REQUEST, renderer()));
    await until(() => reading);
    clock.advance(1000);
    expect((await request).status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT');
    await until(() => closed);
  });

  it('gives back an entry that comes too late', async () => {
    const { cache, clock, memory, hooks } = await cacheUnderTest();
    await served(cache.fetch(REQUEST, renderer()));
    await until(() => memory.size === 1);
    const metadata = memory.peek(memory.names[0] ?? '')?.metadata;
    const late = Promise.withResolvers<void>();
    let asked = false;
    let closed = false;
    hooks.get = async () => {
      asked = true;
      await late.promise;
      return (
        metadata &&
        new StreamedEntry(metadata, {
          bytes: never,
          chunks: never as never,
          close: async () => {
            closed = true;
          },
        })
      );
    };
    const request = served(cache.fetch(REQUEST, renderer()));
    await until(() => asked);
    clock.advance(1000);
    await request;
    late.resolve();
    await until(() => closed);
  });
});

describe('a store that fails', () => {
  it('is logged once a kind, and the images are served', async () => {
    const { cache, log, driver } = await cacheUnderTest({}, { put: () => Promise.reject(unavailable()) });
    for (let request = 0; request < 2; request++) {
      expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(QUEUED);
      await until(() => driver.calls.put === request + 1);
    }
    await until(() => log.length > 0);
    expect(log.map(({ message }) => message)).toEqual([
      'cache put failed, the image is served and not stored: the store is on fire',
    ]);
  });

  it('fails the request where errors are reported, and those who wait', async () => {
    const { cache } = await cacheUnderTest(STRICT, { put: () => Promise.reject(unavailable()) });
    const outcomes = await Promise.allSettled([1, 2].map(() => cache.fetch(REQUEST, renderer())));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_CACHE_UNAVAILABLE', operation: 'put' },
      });
    }
  });

  it('is counted and seen in the health whatever its code, such as of a file where a folder is wanted', async () => {
    const { cache, log } = await cacheUnderTest(
      {},
      { put: () => Promise.reject(new CacheError('ERR_CACHE_UNSUPPORTED', 'a file is in the way')) },
    );
    await served(cache.fetch(REQUEST, renderer()));
    await until(() => log.length === 1);
    expect(cache.health()).toMatchObject({ status: 'degraded', code: 'ERR_CACHE_UNSUPPORTED' });
  });

  it('because the entry is too large for it is no error, even where errors are reported', async () => {
    const { cache, log } = await cacheUnderTest(STRICT, {
      put: () => Promise.reject(new CacheError('ERR_CACHE_TOO_LARGE', 'at most 5 bytes')),
    });
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=too-large',
    );
    expect(log).toEqual([]);
    expect(cache.health()).toMatchObject({ status: 'healthy' });
  });

  it('that hangs delays nobody; meanwhile the image is read from the queue', async () => {
    const { cache, clock, driver, log } = await cacheUnderTest(
      { IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '5' },
      { put: never },
    );
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(QUEUED);
    await until(() => driver.calls.put === 1);
    const pending = await served(cache.fetch(REQUEST, renderer()));
    expect(pending.status).toBe('imgproxy-cache; hit; detail=pending');
    expect(pending.body.length).toBe(1000);
    clock.advance(5000);
    await until(() => log.length === 1);
    expect(log[0]?.fields).toMatchObject({ code: 'ERR_CACHE_TIMEOUT', operation: 'put' });
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(QUEUED);
  });
});

describe('the store queue', () => {
  it('drops what exceeds its entries or bytes, counts it and never reports it', async () => {
    const { cache } = await cacheUnderTest(
      { IMGPROXY_CACHE_STORE_QUEUE_MAX_ENTRIES: '2', IMGPROXY_CACHE_STORE_QUEUE_MAX_BYTES: '2500' },
      { put: never },
    );
    const statuses = [];
    for (const source of ['a', 'b', 'c']) {
      statuses.push((await served(cache.fetch({ ...REQUEST, source }, renderer()))).status);
    }
    expect(statuses).toEqual([QUEUED, QUEUED, 'imgproxy-cache; fwd=miss; detail=queue-full']);
    const { cache: small } = await cacheUnderTest(
      { IMGPROXY_CACHE_STORE_QUEUE_MAX_BYTES: '999' },
      { put: never },
    );
    expect((await served(small.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=queue-full',
    );
  });

  it('stores only so many at the same time', async () => {
    let running = 0;
    let most = 0;
    const { cache, memory } = await cacheUnderTest(
      { IMGPROXY_CACHE_STORE_CONCURRENCY: '3' },
      {
        put: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
        },
      },
    );
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        served(cache.fetch({ ...REQUEST, source: `${index}` }, renderer())),
      ),
    );
    await until(() => memory.size === 20);
    expect(most).toBe(3);
  });

  it('is drained by a stop, at most for the drain time, and says what was given up', async () => {
    const gate = Promise.withResolvers<void>();
    const drained = await cacheUnderTest({}, { put: () => gate.promise });
    await served(drained.cache.fetch(REQUEST, renderer()));
    const closed = drained.cache.close();
    gate.resolve();
    await closed;
    expect(drained.memory.size).toBe(1);
    expect(drained.driver.calls.close).toBe(1);
    expect(drained.log).toEqual([]);

    const stuck = await cacheUnderTest({ IMGPROXY_CACHE_DRAIN_TIMEOUT_SECONDS: '2' }, { put: never });
    await served(stuck.cache.fetch(REQUEST, renderer()));
    const stopped = stuck.cache.close();
    stuck.clock.advance(2000);
    await stopped;
    expect(stuck.driver.calls.close).toBe(1);
    expect(stuck.log.map(({ message }) => message)).toEqual([
      expect.stringContaining('stopped before 1 images were stored'),
    ]);
  });
});

describe('a cache that was closed', () => {
  it('renders without the cache, refuses to delete, and closes once', async () => {
    const { cache, driver } = await cacheUnderTest();
    await Promise.all([cache.close(), cache.close()]);
    expect(driver.calls.close).toBe(1);
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=bypass; detail=closed',
    );
    await expect(cache.delete(REQUEST)).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
    await expect(cache.purgeSource('x')).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
  });

  it('does not store what was being rendered when it was closed', async () => {
    const { cache, driver } = await cacheUnderTest();
    const gate = Promise.withResolvers<void>();
    const request = served(
      cache.fetch(
        REQUEST,
        renderer(async () => {
          await gate.promise;
          return {};
        }),
      ),
    );
    await until(() => driver.calls.get === 1);
    await new Promise((resolve) => setImmediate(resolve));
    await cache.close();
    gate.resolve();
    expect((await request).status).toBe('imgproxy-cache; fwd=miss; detail=closed');
    expect(driver.calls.put).toBe(0);
  });
});

describe('the check at the start', () => {
  const failing = { check: () => Promise.reject(new CacheError('ERR_CACHE_ACCESS_DENIED', 'may not write')) };

  it('that fails is logged once and the cache is degraded', async () => {
    const { cache, log, driver } = await cacheUnderTest({}, failing);
    await cache.ready();
    await cache.ready();
    expect(driver.calls.check).toBe(1);
    expect(log).toEqual([
      {
        level: 'error',
        fields: { driver: 'hooked', subject: 'check', code: 'ERR_CACHE_ACCESS_DENIED' },
        message: 'cache check: may not write',
      },
    ]);
    expect(cache.health()).toMatchObject({ status: 'degraded', code: 'ERR_CACHE_ACCESS_DENIED' });
  });

  it('that fails keeps the host from starting where errors are reported', async () => {
    const { cache } = await cacheUnderTest(STRICT, failing);
    await expect(cache.ready()).rejects.toMatchObject({ code: 'ERR_CACHE_ACCESS_DENIED' });
  });

  it('that passes leaves nothing behind', async () => {
    const { cache, memory, log } = await cacheUnderTest();
    await cache.ready();
    expect(memory.size).toBe(0);
    expect(log).toEqual([]);
  });
});
