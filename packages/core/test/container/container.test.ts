import {
  CACHE,
  CacheKeyBuilder,
  cacheModule,
  createImageCache,
  type Environment,
  type ErrorReporting,
  ImageCache,
  type Logger,
} from '@imgproxy-cache/core';
import {
  type CacheDriver,
  CacheError,
  type Clock,
  defineCacheDriver,
  systemClock,
} from '@imgproxy-cache/core/driver';
import memory, { MemoryDriver } from '@imgproxy-cache/memory';
import { Container } from 'inversify';
import { describe, expect, it } from 'vitest';
import { bytesOf, REQUEST, renderer, served, until } from '../cache/cache-under-test.js';

const MEMORY: Environment = { IMGPROXY_CACHE_USE: 'memory' };

async function hostContainer(env: Environment = MEMORY): Promise<Container> {
  const container = new Container();
  container.load(await cacheModule({ env, drivers: [memory] }));
  return container;
}

function memoryOf(container: Container): MemoryDriver {
  return container.get(CACHE.Driver) as MemoryDriver;
}

function silent(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => void lines.push(message);
  return { lines, debug: note, info: note, warn: note, error: note };
}

describe("a host's container", () => {
  it('gives one cache to all who resolve it, without awaiting', async () => {
    const container = await hostContainer();
    const cache = container.get(CACHE.ImageCache);
    expect(cache).toBeInstanceOf(ImageCache);
    expect(container.get(CACHE.ImageCache)).toBe(cache);
    expect(container.get(CACHE.Driver)).toBeInstanceOf(MemoryDriver);
    expect(container.get(CACHE.Driver)).toBe(container.get(CACHE.Driver));
    await cache.ready();
    expect(cache.health()).toMatchObject({ status: 'healthy' });
    await container.unbindAllAsync();
  });

  it('takes the cache by injection without decorators', async () => {
    class Images {
      constructor(readonly cache: ImageCache) {}
    }
    const container = await hostContainer();
    container.bind(Images).toResolvedValue((cache: ImageCache) => new Images(cache), [CACHE.ImageCache]);
    expect(container.get(Images).cache).toBe(container.get(CACHE.ImageCache));
    await container.unbindAllAsync();
  });

  it('drains and closes the cache when it unbinds all', async () => {
    const container = await hostContainer();
    const driver = memoryOf(container);
    const cache = container.get(CACHE.ImageCache);
    const put = Promise.withResolvers<void>();
    const original = driver.put.bind(driver);
    let stored = 0;
    driver.put = async (...parts) => {
      await put.promise;
      await original(...parts);
      stored = driver.size;
    };
    await served(cache.fetch(REQUEST, renderer()));
    const unbound = container.unbindAllAsync();
    put.resolve();
    await unbound;
    expect(stored).toBe(1);
    await expect(driver.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
    const { status } = await served(cache.fetch(REQUEST, renderer()));
    expect(status).toBe('imgproxy-cache; fwd=bypass; detail=closed');
  });

  it('closes nothing when the cache was never resolved', async () => {
    const container = await hostContainer();
    await container.unbindAllAsync();
    expect(container.isBound(CACHE.ImageCache)).toBe(false);
  });

  it('does not close its cache when a child container ends', async () => {
    const parent = await hostContainer();
    const child = new Container({ parent });
    const cache = child.get(CACHE.ImageCache);
    expect(cache).toBe(parent.get(CACHE.ImageCache));
    await child.unbindAllAsync();
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=queued',
    );
    await parent.unbindAllAsync();
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=bypass; detail=closed',
    );
  });

  it('keeps two caches of one process apart, with different drivers and settings', async () => {
    const other = defineCacheDriver({ ...memory, name: 'other', create: () => new MemoryDriver() });
    const first = await hostContainer({ ...MEMORY, IMGPROXY_CACHE_PATH_PREFIX: 'first' });
    const second = new Container();
    second.load(
      await cacheModule({
        env: { IMGPROXY_CACHE_USE: 'other', IMGPROXY_CACHE_REPORT_ERRORS: 'true' },
        drivers: [memory, other],
      }),
    );
    const [one, two] = [first, second].map((container) => container.get(CACHE.ImageCache));
    expect((await served((one as ImageCache).fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=queued',
    );
    expect((await served((two as ImageCache).fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; stored',
    );
    const drivers = [first, second].map(memoryOf);
    await until(() => drivers[0]?.size === 1);
    expect(drivers[0]?.names).toEqual([expect.stringMatching(/^first\/v1\//)]);
    expect(drivers[1]?.names).toEqual([expect.stringMatching(/^v1\//)]);
    await first.unbindAllAsync();
    expect((await served((two as ImageCache).fetch(REQUEST, renderer()))).status).toBe('imgproxy-cache; hit');
    await second.unbindAllAsync();
  });
});

describe('a part that the host rebinds is the one that is used', () => {
  it('clock', async () => {
    const container = await hostContainer({ ...MEMORY, IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    const clock: Clock = { ...systemClock, now: () => 1234 };
    container.rebind<Clock>(CACHE.Clock).toConstantValue(clock);
    const cache = container.get(CACHE.ImageCache);
    await served(cache.fetch(REQUEST, renderer()));
    const { image } = await cache.fetch(REQUEST, renderer());
    expect(image.created).toBe(1234);
    expect(cache.health()).toMatchObject({ status: 'healthy', since: 1234 });
    await container.unbindAllAsync();
  });

  it('logger', async () => {
    const logger = silent();
    const container = await hostContainer({ ...MEMORY, IMGPROXY_CACHE_MEMORY_MAX_SIZ: '1' });
    container.rebind<Logger>(CACHE.Logger).toConstantValue(logger);
    container.get(CACHE.ImageCache);
    expect(logger.lines).toEqual([
      'IMGPROXY_CACHE_MEMORY_MAX_SIZ is set and means nothing: is IMGPROXY_CACHE_MEMORY_MAX_SIZE meant?',
    ]);
    await container.unbindAllAsync();
  });

  it('key builder', async () => {
    const container = await hostContainer({ ...MEMORY, IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    container
      .rebind<CacheKeyBuilder>(CACHE.KeyBuilder)
      .toConstantValue(new CacheKeyBuilder({ prefix: 'rebound', headers: ['x-tenant'] }));
    const cache = container.get(CACHE.ImageCache);
    for (const tenant of ['blue', 'red']) {
      await served(cache.fetch({ ...REQUEST, headers: { 'x-tenant': tenant } }, renderer()));
    }
    const { names } = memoryOf(container);
    expect(names).toHaveLength(2);
    expect(names.every((name) => name.startsWith('rebound/v1/'))).toBe(true);
    await container.unbindAllAsync();
  });

  it('error reporting', async () => {
    const asked: string[] = [];
    const container = await hostContainer();
    container.rebind<ErrorReporting>(CACHE.ErrorReporting).toConstantValue({
      storeBeforeServing: true,
      shouldThrow(error, phase) {
        asked.push(`${phase} ${error.code}`);
        return phase === 'lookup';
      },
    });
    container.rebind<Logger>(CACHE.Logger).toConstantValue(silent());
    const driver = memoryOf(container);
    const cache = container.get(CACHE.ImageCache);
    driver.put = async () => {
      throw new CacheError('ERR_CACHE_NO_SPACE', 'the disk is full');
    };
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=ERR_CACHE_NO_SPACE',
    );
    driver.get = async () => {
      throw new CacheError('ERR_CACHE_UNAVAILABLE', 'nobody answers');
    };
    await expect(cache.fetch(REQUEST, renderer())).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE' });
    expect(asked).toEqual(['store ERR_CACHE_NO_SPACE', 'lookup ERR_CACHE_UNAVAILABLE']);
    await container.unbindAllAsync();
  });

  it.each<[string, Environment]>([
    ['in the place of the configured one', MEMORY],
    ['where none is configured', {}],
  ])('driver, %s', async (_what, env) => {
    const own = new MemoryDriver();
    const container = await hostContainer({ ...env, IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    container.rebind<CacheDriver | undefined>(CACHE.Driver).toConstantValue(own);
    const cache = container.get(CACHE.ImageCache);
    await cache.ready();
    await served(cache.fetch(REQUEST, renderer({ body: bytesOf(10) })));
    expect(own.size).toBe(1);
    await container.unbindAllAsync();
    await expect(own.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
  });

  it('settings', async () => {
    const container = await hostContainer({ ...MEMORY, IMGPROXY_CACHE_MAX_ENTRY_SIZE: '10' });
    const cache = container.get(CACHE.ImageCache);
    expect((await served(cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=too-large',
    );
    await container.unbindAllAsync();
  });
});

describe('createImageCache', () => {
  it('makes a cache that is checked, and closed by close() or by disposal', async () => {
    const calls: string[] = [];
    const logger = silent();
    const noting = defineCacheDriver({
      ...memory,
      name: 'noting',
      create() {
        const driver = new MemoryDriver();
        const { put, close } = driver;
        driver.put = async (...args) => {
          calls.push('check');
          return put.call(driver, ...args);
        };
        driver.close = async () => {
          calls.push('close');
          return close.call(driver);
        };
        return driver;
      },
    });
    {
      await using cache = await createImageCache({
        env: { IMGPROXY_CACHE_USE: 'noting' },
        drivers: [noting],
        logger,
      });
      await cache.ready();
      await cache.close();
      await cache.close();
    }
    expect(calls).toEqual(['check', 'close']);
    expect(logger.lines).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ['true', 'does not start, and closes the driver', ['created', 'closed']],
    ['false', 'starts degraded and logs it', ['created']],
  ])('where the check fails and errors are reported (%s): %s', async (reportErrors, _what, calls) => {
    const seen: string[] = [];
    const logger = silent();
    const broken = defineCacheDriver({
      ...memory,
      name: 'broken',
      create() {
        seen.push('created');
        const driver = new MemoryDriver();
        driver.put = async () => {
          throw new CacheError('ERR_CACHE_ACCESS_DENIED', 'writing is forbidden: grant it');
        };
        driver.close = async () => void seen.push('closed');
        return driver;
      },
    });
    const made = createImageCache({
      env: { IMGPROXY_CACHE_USE: 'broken', IMGPROXY_CACHE_REPORT_ERRORS: reportErrors },
      drivers: [broken],
      logger,
    });
    if (reportErrors === 'true') {
      await expect(made).rejects.toMatchObject({ code: 'ERR_CACHE_ACCESS_DENIED' });
    } else {
      expect((await made).health()).toMatchObject({
        status: 'degraded',
        code: 'ERR_CACHE_ACCESS_DENIED',
      });
    }
    expect(seen).toEqual(calls);
    expect(logger.lines).toEqual(['cache check: cannot write: writing is forbidden: grant it']);
  });
});
