import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import swift from '@imgproxy-cache/swift';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { configOf } from '../open-driver.js';
import { ensureContainer, freeze, KEYSTONE, type LabServer, Stranger, TEMPAUTH } from './lab.js';

const BUCKET = 'live-faults';
// A server that is stopped answers nothing at all, and Swift itself waits for ten seconds for one of its own.
const DEADLINE = 1_000;
const SLACK = 7_000;
/** Swift does not ask a memcached that was late for a minute. */
const RECOVERY = 120_000;

const ACCOUNTS = { TEMPAUTH, KEYSTONE };

beforeAll(async () => {
  for (const account of Object.values(ACCOUNTS)) await ensureContainer(new Stranger(account), BUCKET);
});

async function openCache(account: keyof typeof ACCOUNTS): Promise<ImageCache> {
  const config = configOf({ ...ACCOUNTS[account], bucket: BUCKET });
  const quiet = (): void => {};
  const cache = await createImageCache({
    env: {
      IMGPROXY_CACHE_USE: 'swift',
      IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: String(DEADLINE / 1000),
      IMGPROXY_CACHE_PATH_PREFIX: `run-${process.pid}`,
      ...Object.fromEntries(
        Object.entries(swift.config).map(([property, { variable }]) => [
          variable,
          String(config[property as keyof typeof config]),
        ]),
      ),
    },
    drivers: [swift],
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  onTestFinished(() => cache.close());
  return cache;
}

/** Fetches an image that takes no time to render, and looks at its bytes. @returns its status and the time it took */
async function fetchFrom(cache: ImageCache, source: string): Promise<{ status: string; took: number }> {
  const begun = performance.now();
  const body = Buffer.from(`image of ${source}`);
  const { status, image } = await cache.fetch(
    { source, options: [['w', '100']], format: 'webp' },
    async () => ({
      body,
      contentType: 'image/webp',
    }),
  );
  expect(Buffer.from(await image.bytes())).toEqual(body);
  return { status: String(status), took: performance.now() - begun };
}

async function untilHit(cache: ImageCache, source: string, timeout: number): Promise<void> {
  await expect
    .poll(async () => (await fetchFrom(cache, source)).status, { timeout, interval: 250 })
    .toMatch(/; hit/);
}

test.each<[LabServer, keyof typeof ACCOUNTS, 'rendered' | 'from the cache']>([
  ['proxy', 'TEMPAUTH', 'rendered'],
  ['object', 'TEMPAUTH', 'rendered'],
  ['memcached', 'TEMPAUTH', 'rendered'],
  ['container', 'TEMPAUTH', 'from the cache'],
  ['keystone', 'KEYSTONE', 'from the cache'],
])(
  'while %s is stopped (%s) images are served within the deadline, %s, and afterwards from the cache',
  async (server, account, how) => {
    const cache = await openCache(account);
    await untilHit(cache, `${server}/stored`, 60_000);
    const thaw = freeze(server);
    for (let round = 0; round < 3; round += 1) {
      const results = await Promise.all(
        ['stored', `new-${round}`].map((name) => fetchFrom(cache, `${server}/${name}`)),
      );
      for (const { took } of results) expect(took).toBeLessThan(DEADLINE + SLACK);
      expect(results[0]?.status).toMatch(how === 'rendered' ? /; fwd=/ : /; hit/);
    }
    thaw();
    await untilHit(cache, `${server}/stored`, RECOVERY);
    await untilHit(cache, `${server}/afterwards`, RECOVERY);
  },
  240_000,
);
