import { CACHE, type Environment } from '@imgproxy-cache/core';
import { type CacheDriver, type Clock, systemClock } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import type { Container } from 'inversify';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { HttpServer } from '../src/http-server.js';
import { pictureListener } from '../src/picture-listener.js';
import { createContainer } from '../src/rebound-parts.js';

/** Starts the host on a free port; `rebind` changes more of its parts. */
async function startHost(env: Environment = {}, rebind: (container: Container) => void = () => {}) {
  const container = await createContainer(env);
  rebind(container);
  const cache = container.get(CACHE.ImageCache);
  onTestFinished(() => container.unbindAllAsync());
  await cache.ready();
  const server = new HttpServer(pictureListener(cache));
  const url = await server.listen(0);
  onTestFinished(() => server.stop());
  return { cache, get: (path: string) => fetch(new URL(path, url)).then(outcomeOf) };
}

describe('key builder', () => {
  test('a source whose URL is signed anew is the same picture, to be found and to be purged', async () => {
    const driver = new MemoryDriver();
    const { cache, get } = await startHost({ IMGPROXY_CACHE_PATH_PREFIX: 'pictures' }, bindDriver(driver));
    expect(await get('/300x200/cat.jpg?X-Amz-Date=1&X-Amz-Signature=a')).toEqual(MISS);
    await vi.waitUntil(() => driver.size === 1, { timeout: 60_000 });
    expect(await get('/300x200/cat.jpg?X-Amz-Date=2&X-Amz-Signature=b')).toEqual(HIT);
    expect(driver.names).toEqual([expect.stringMatching(/^pictures\/v1\//)]);

    expect(await cache.purgeSource('cat.jpg?X-Amz-Date=3&X-Amz-Signature=c')).toBe(1);
    expect(await get('/300x200/cat.jpg')).toEqual(MISS);
  });

  test.each(['cat.jpg?version=2&X-Amz-Date=1', 'cat.jpg&version=1', 'cat.jpg?'])(
    'any other difference is a different picture: %s',
    async (source) => {
      const { get } = await startHost();
      expect(await get('/300x200/cat.jpg?version=1')).toEqual(MISS);
      expect(await get(`/300x200/${source}`)).toEqual(MISS);
    },
  );
});

describe('error reporting', () => {
  test.each(['true', 'false'])(
    'a store that is broken at the start ends it, one that breaks later fails no request (IMGPROXY_CACHE_REPORT_ERRORS=%s)',
    async (reportErrors) => {
      const env = { IMGPROXY_CACHE_REPORT_ERRORS: reportErrors };
      const broken = new FaultDriver(new MemoryDriver());
      broken.inject('check', { kind: 'error', code: 'ERR_CACHE_ACCESS_DENIED' });
      await expect(startHost(env, bindDriver(broken))).rejects.toMatchObject({
        code: 'ERR_CACHE_ACCESS_DENIED',
      });

      const faults = new FaultDriver(new MemoryDriver());
      const { get } = await startHost(env, bindDriver(faults));
      faults.inject('get', { kind: 'error', code: 'ERR_CACHE_UNAVAILABLE' });
      expect(await get('/300x200/cat.jpg')).toEqual({
        status: 200,
        cacheStatus: 'imgproxy-cache; fwd=miss; detail=ERR_CACHE_UNAVAILABLE',
      });
    },
  );
});

describe('driver', () => {
  test('the cache is on without a variable', async () => {
    const { cache, get } = await startHost();
    expect(cache.health().status).toBe('healthy');
    expect(await get('/300x200/cat.jpg')).toEqual(MISS);
    await vi.waitUntil(async () => (await get('/300x200/cat.jpg')).cacheStatus === HIT.cacheStatus, {
      timeout: 60_000,
    });
  });
});

describe('clock', () => {
  test('the time of the test is the time of the cache', async () => {
    const noon: Clock = { ...systemClock, now: () => Date.UTC(2026, 0, 1, 12) };
    const driver = new MemoryDriver();
    const { get } = await startHost({}, (container) => {
      container.rebind<Clock>(CACHE.Clock).toConstantValue(noon);
      container.rebind<CacheDriver | undefined>(CACHE.Driver).toConstantValue(driver);
    });
    await get('/300x200/cat.jpg');
    await vi.waitUntil(() => driver.size === 1, { timeout: 60_000 });
    const [name = ''] = driver.names;
    expect(driver.peek(name)?.metadata.created).toBe(Date.UTC(2026, 0, 1, 12));
  });
});

const MISS = { status: 200, cacheStatus: 'imgproxy-cache; fwd=miss; detail=queued' };
const HIT = { status: 200, cacheStatus: 'imgproxy-cache; hit' };

function bindDriver(driver: CacheDriver): (container: Container) => void {
  return (container) => container.rebind<CacheDriver | undefined>(CACHE.Driver).toConstantValue(driver);
}

async function outcomeOf(response: Response) {
  await response.arrayBuffer();
  return { status: response.status, cacheStatus: response.headers.get('cache-status') };
}
