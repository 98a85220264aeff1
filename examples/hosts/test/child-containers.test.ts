import { CACHE, cacheModule, type ErrorReporting, errorReporting, type Logger } from '@imgproxy-cache/core';
import memory, { MemoryDriver } from '@imgproxy-cache/memory';
import { Container } from 'inversify';
import { expect, test } from 'vitest';

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

async function containerWithCache(parent?: Container): Promise<Container> {
  const container = new Container(parent && { parent });
  const env = { IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_REPORT_ERRORS: 'true' };
  container.load(await cacheModule({ env, drivers: [memory] }));
  return container;
}

async function statusOf(container: Container, source = 'cat.jpg'): Promise<string> {
  const { status, image } = await container
    .get(CACHE.ImageCache)
    .fetch({ source }, () => ({ body: Uint8Array.of(1), contentType: 'image/png' }));
  await image.discard();
  return String(status);
}

test('a child container that loads a module of its own has a cache of its own, and closes that one alone', async () => {
  const parent = await containerWithCache();
  const child = await containerWithCache(parent);
  expect(await statusOf(parent)).toBe('imgproxy-cache; fwd=miss; stored');
  expect(await statusOf(child)).toBe('imgproxy-cache; fwd=miss; stored');
  expect(await statusOf(child)).toBe('imgproxy-cache; hit');
  const drivers = [parent, child].map((container) => container.get(CACHE.Driver));
  expect(drivers).toEqual([expect.any(MemoryDriver), expect.any(MemoryDriver)]);
  expect(drivers.map((driver) => (driver as MemoryDriver).size)).toEqual([1, 1]);

  await child.unbindAllAsync();
  expect(await statusOf(parent)).toBe('imgproxy-cache; hit');
  await parent.unbindAllAsync();
});

test('what a child binds is no part of the cache of its parent, once that is resolved', async () => {
  const parent = await containerWithCache();
  parent.rebind<Logger>(CACHE.Logger).toConstantValue(logger);
  await parent.get(CACHE.ImageCache).ready();
  const child = new Container({ parent });
  child.bind<ErrorReporting>(CACHE.ErrorReporting).toConstantValue(errorReporting(false));
  expect(child.get(CACHE.ImageCache)).toBe(parent.get(CACHE.ImageCache));
  expect(await statusOf(child)).toBe('imgproxy-cache; fwd=miss; stored');
  await parent.unbindAllAsync();
});
