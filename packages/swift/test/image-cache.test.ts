import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import memory from '@imgproxy-cache/memory';
import swift from '@imgproxy-cache/swift';
import { expect, onTestFinished, test } from 'vitest';
import { FakeSwift } from './fake-swift.js';

async function openCache(server: FakeSwift, use: string): Promise<ImageCache> {
  const quiet = (): void => {};
  const cache = await createImageCache({
    env: {
      IMGPROXY_CACHE_USE: use,
      IMGPROXY_CACHE_BUCKET: 'images',
      IMGPROXY_CACHE_PATH_PREFIX: 'cache',
      IMGPROXY_CACHE_SWIFT_AUTH_URL: `${server.url}/v3`,
      IMGPROXY_CACHE_SWIFT_USERNAME: 'test:tester',
      IMGPROXY_CACHE_SWIFT_API_KEY: 'testing',
      IMGPROXY_CACHE_SWIFT_TENANT: 'demo',
      IMGPROXY_CACHE_SWIFT_REGION: 'RegionOne',
      IMGPROXY_CACHE_REPORT_ERRORS: 'true',
    },
    drivers: [swift, memory],
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  onTestFinished(() => cache.close());
  return cache;
}

const request = (source: string) => ({ source, options: [['w', '100']] as const, format: 'webp' });

async function fetchFrom(cache: ImageCache, source: string): Promise<string> {
  const { status, image } = await cache.fetch(request(source), async () => ({
    body: Buffer.from(`image of ${source}`),
    contentType: 'image/webp',
  }));
  return `${status}: ${Buffer.from(await image.bytes())}`;
}

const STORED = 'imgproxy-cache; fwd=miss; stored: image of cat';
const HIT = 'imgproxy-cache; hit: image of cat';
const HIT_IN_MEMORY = 'imgproxy-cache; hit; detail=memory: image of cat';
const HIT_IN_SWIFT = 'imgproxy-cache; hit; detail=swift: image of cat';

test.each([
  ['swift', HIT, HIT],
  ['memory,swift', HIT_IN_MEMORY, HIT_IN_SWIFT],
])('with %s an image is rendered once, also after a restart', async (use, hit, hitAfterwards) => {
  const server = await FakeSwift.start();
  const cache = await openCache(server, use);
  expect(await fetchFrom(cache, 'cat')).toBe(STORED);
  expect(await fetchFrom(cache, 'cat')).toBe(hit);
  await cache.close();
  expect(await fetchFrom(await openCache(server, use), 'cat')).toBe(hitAfterwards);
  const [name = ''] = server.objects.keys();
  expect(name).toMatch(/^cache\/v1\//);
});

test('two hosts have one cache', async () => {
  const server = await FakeSwift.start();
  const one = await openCache(server, 'swift');
  const other = await openCache(server, 'memory,swift');
  expect(await fetchFrom(one, 'cat')).toBe(STORED);
  expect(await fetchFrom(other, 'cat')).toBe(HIT_IN_SWIFT);
  await one.purgeSource('cat');
  expect(server.objects.size).toBe(0);
});

test('a wrong configuration stops the start with every fault at once, and no secret', async () => {
  const env = {
    IMGPROXY_CACHE_USE: 'swift',
    IMGPROXY_CACHE_BUCKET: 'a/b',
    IMGPROXY_CACHE_SWIFT_AUTH_URL: 'keystone',
    IMGPROXY_CACHE_SWIFT_AUTH_VERSION: '4',
    IMGPROXY_CACHE_SWIFT_API_KEY: 'hunter2',
    IMGPROXY_CACHE_SWIFT_TIMEOUT_SECONDS: '10s',
  };
  const error: unknown = await createImageCache({ env, drivers: [swift] }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_CACHE_CONFIG' });
  const { message } = error as Error;
  for (const name of ['USERNAME', 'AUTH_VERSION', 'TIMEOUT_SECONDS']) {
    expect(message).toContain(`IMGPROXY_CACHE_SWIFT_${name}`);
  }
  expect(message).not.toContain('hunter2');
});
