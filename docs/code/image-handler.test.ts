import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CACHE, cacheModule, type Logger } from '@imgproxy-cache/core';
import type { CacheDriver } from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { Container } from 'inversify';
import { expect, onTestFinished, test, vi } from 'vitest';
import { imageHandler } from './image-handler.js';

const picture = Buffer.from('the bytes of a picture');

/** Pictures are stored behind the request's back. */
function stored(driver: MemoryDriver) {
  return vi.waitUntil(() => driver.size === 1, { timeout: 10_000 });
}

/** Starts the host on a cache with this driver. */
async function startHost(driver: CacheDriver, env: NodeJS.ProcessEnv = {}) {
  const container = new Container();
  container.load(await cacheModule({ env }));
  container.rebind(CACHE.Driver).toConstantValue(driver);
  const warn = vi.fn<Logger['warn']>();
  container.rebind(CACHE.Logger).toConstantValue({ debug() {}, info() {}, warn, error() {} });
  const cache = container.get(CACHE.ImageCache);

  const render = vi.fn(async () => ({ body: picture, contentType: 'image/webp' }));
  const server = createServer(imageHandler(cache, render)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await container.unbindAllAsync();
  });
  const { port } = server.address() as AddressInfo;
  return { cache, render, warn, get: () => fetch(`http://127.0.0.1:${port}/cat.jpg`) };
}

test('an image is rendered once and then served from the cache', async () => {
  const driver = new MemoryDriver();
  const { get, render } = await startHost(driver);

  await (await get()).arrayBuffer();
  await stored(driver);
  const second = await get();

  expect(second.headers.get('cache-status')).toBe('imgproxy-cache; hit');
  expect(Buffer.from(await second.arrayBuffer())).toEqual(picture);
  expect(render).toHaveBeenCalledOnce();
  expect(driver.peek(driver.names[0] ?? '')?.metadata.contentType).toBe('image/webp');
});

test('requests succeed while the store is down', async () => {
  const faults = new FaultDriver(new MemoryDriver());
  const { get, warn, cache } = await startHost(faults);
  const outage = faults.inject('get', { kind: 'error', code: 'ERR_CACHE_UNAVAILABLE' });

  const during = await get();
  expect(during.status).toBe(200);
  expect(during.headers.get('cache-status')).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_UNAVAILABLE');
  expect(warn).toHaveBeenCalledOnce();
  expect(cache.health().status).toBe('degraded');

  outage.remove();
  const afterwards = await get();
  expect(afterwards.headers.get('cache-status')).toBe('imgproxy-cache; fwd=miss; detail=queued');
});

test('a store that hangs delays a request by one look-up timeout at most', async () => {
  const faults = new FaultDriver(new MemoryDriver());
  const { get } = await startHost(faults, { IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.05' });
  faults.inject('get', { kind: 'hang', deaf: true });

  const response = await get();

  expect(response.status).toBe(200);
  expect(response.headers.get('cache-status')).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT');
});

test('a corrupt image is never served', async () => {
  const driver = new MemoryDriver();
  const faults = new FaultDriver(driver);
  const { get } = await startHost(faults);
  await (await get()).arrayBuffer();
  await stored(driver);
  faults.inject('body', { kind: 'corrupt' });

  const response = await get();

  expect(response.headers.get('cache-status')).toContain('fwd=miss');
  expect(Buffer.from(await response.arrayBuffer())).toEqual(picture);
});

test('with REPORT_ERRORS, a failed store fails the request', async () => {
  const faults = new FaultDriver(new MemoryDriver());
  const { get } = await startHost(faults, { IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
  faults.inject('put', { kind: 'error', code: 'ERR_CACHE_NO_SPACE' });

  const response = await get();

  expect(response.status).toBe(503);
  expect(response.headers.get('cache-control')).toBe('no-store');
});
