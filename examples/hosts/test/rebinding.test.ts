import { CACHE, type Environment, type ImageCache } from '@imgproxy-cache/core';
import type { CacheDriver } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { expect, onTestFinished, test } from 'vitest';
import { createContainer } from '../rebinding/container.mts';

const MISS = 'imgproxy-cache; fwd=miss; detail=queued';
const HIT = 'imgproxy-cache; hit';
const PICTURE = 'https://pictures.example.com/cat.jpg';

async function openCache(driver: CacheDriver, env: Environment = {}) {
  const container = await createContainer(env);
  container.rebind(CACHE.Driver).toConstantValue(driver);
  onTestFinished(() => container.unbindAllAsync());
  const cache = container.get(CACHE.ImageCache);
  await cache.ready();
  return cache;
}

async function statusOf(cache: ImageCache, source: string): Promise<string> {
  const { status, image } = await cache.fetch({ source }, () => ({
    body: Uint8Array.of(1),
    contentType: 'image/png',
  }));
  await image.discard();
  return String(status).replace('; detail=pending', '');
}

test('a source whose URL is signed anew is found, and purged, as the same source', async () => {
  const driver = new MemoryDriver();
  const cache = await openCache(driver, { IMGPROXY_CACHE_PATH_PREFIX: 'pictures' });
  expect(await statusOf(cache, `${PICTURE}?X-Amz-Date=1&X-Amz-Signature=a`)).toBe(MISS);
  expect(await statusOf(cache, `${PICTURE}?X-Amz-Date=2&X-Amz-Signature=b`)).toBe(HIT);
  await expect
    .poll(() => driver.names, { timeout: 60_000 })
    .toEqual([expect.stringMatching(/^pictures\/v1\//)]);

  expect(await cache.purgeSource(`${PICTURE}?X-Amz-Date=3&X-Amz-Signature=c`)).toBe(1);
  expect(await statusOf(cache, PICTURE)).toBe(MISS);
});

test.each([`${PICTURE}?version=2&X-Amz-Date=1`, `${PICTURE}&version=1`, `${PICTURE}?version=1?X-Amz-Date=1`])(
  'a source that differs in anything else is another one: %s',
  async (source) => {
    const cache = await openCache(new MemoryDriver());
    expect(await statusOf(cache, `${PICTURE}?version=1`)).toBe(MISS);
    expect(await statusOf(cache, source)).toBe(MISS);
  },
);

test('a store that fails at the start ends the start, and one that fails later fails no request', async () => {
  const env = { IMGPROXY_CACHE_REPORT_ERRORS: 'true' };
  const broken = new FaultDriver(new MemoryDriver());
  broken.inject('check', { kind: 'error', code: 'ERR_CACHE_ACCESS_DENIED' });
  await expect(openCache(broken, env)).rejects.toMatchObject({ code: 'ERR_CACHE_ACCESS_DENIED' });

  const faults = new FaultDriver(new MemoryDriver());
  const cache = await openCache(faults, env);
  faults.inject('get', { kind: 'error', code: 'ERR_CACHE_UNAVAILABLE' });
  expect(await statusOf(cache, PICTURE)).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_UNAVAILABLE');
});
