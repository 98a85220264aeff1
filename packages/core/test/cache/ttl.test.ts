import { describe, expect, it } from 'vitest';
import { cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

const QUEUED = 'imgproxy-cache; fwd=miss; detail=queued';
const HIT = 'imgproxy-cache; hit';
const EXPIRED = 'imgproxy-cache; fwd=miss; detail=expired';

async function stored(env: Readonly<Record<string, string>>, ttl?: number) {
  const made = await cacheUnderTest(env);
  const request = { ...REQUEST, ...(ttl !== undefined && { ttl }) };
  const statusOf = async () => {
    const { status } = await served(made.cache.fetch(request, renderer()));
    await until(() => made.cache.load.stores === 0);
    return status;
  };
  expect(await statusOf()).toBe(QUEUED);
  return { ...made, statusOf };
}

describe('an image', () => {
  it('is a hit for ever by default', async () => {
    const { clock, statusOf } = await stored({});
    clock.advance(1000 * 3600 * 24 * 365 * 100);
    expect(await statusOf()).toBe(HIT);
  });

  it('past its ttl is a miss that is replaced', async () => {
    const { clock, statusOf, memory } = await stored({ IMGPROXY_CACHE_TTL_SECONDS: '0.5' });
    clock.advance(499);
    expect(await statusOf()).toBe(HIT);
    clock.advance(1);
    expect(await statusOf()).toBe(EXPIRED);
    expect(await statusOf()).toBe(HIT);
    expect(memory.size).toBe(1);
  });

  it('has the ttl that its request gives it', async () => {
    const { clock, statusOf } = await stored({ IMGPROXY_CACHE_TTL_SECONDS: '1000' }, 10);
    clock.advance(9999);
    expect(await statusOf()).toBe(HIT);
    clock.advance(1);
    expect(await statusOf()).toBe(EXPIRED);
  });

  it('with a ttl of 0 is a hit for ever, whatever the default', async () => {
    const { clock, statusOf } = await stored({ IMGPROXY_CACHE_TTL_SECONDS: '1' }, 0);
    clock.advance(1000 * 3600 * 24 * 365);
    expect(await statusOf()).toBe(HIT);
  });

  it('may live to the end of time', async () => {
    const { clock, statusOf, memory } = await stored({}, Number.POSITIVE_INFINITY);
    clock.advance(1000 * 3600 * 24 * 365 * 100);
    expect(await statusOf()).toBe(HIT);
    const [name = ''] = memory.names;
    expect(memory.peek(name)?.metadata.expires).toBe(8_640_000_000_000_000);
  });

  it('past its ttl is no hit either while it still waits to be stored', async () => {
    const made = await cacheUnderTest({ IMGPROXY_CACHE_TTL_SECONDS: '1' });
    const held = Promise.withResolvers<void>();
    made.hooks.put = () => held.promise;
    await served(made.cache.fetch(REQUEST, renderer()));
    expect((await served(made.cache.fetch(REQUEST, renderer()))).status).toBe(
      'imgproxy-cache; hit; detail=pending',
    );
    made.clock.advance(1000);
    expect((await served(made.cache.fetch(REQUEST, renderer()))).status).toBe(QUEUED);
    held.resolve();
    await until(() => made.cache.load.stores === 0);
  });
});

it.each([-1, Number.NaN])('a ttl of %s is refused', async (ttl) => {
  const { cache } = await cacheUnderTest();
  const render = renderer();
  await expect(cache.fetch({ ...REQUEST, ttl }, render)).rejects.toThrow(
    `the ttl is ${ttl}: it must be a number of seconds, or 0 for ever`,
  );
  expect(render.calls).toBe(0);
});
