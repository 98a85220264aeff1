import { CacheError } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { REQUEST, renderer, served, type TiersUnderTest, tiersUnderTest, until } from './cache-under-test.js';

const STRICT = { IMGPROXY_CACHE_REPORT_ERRORS: 'true' };
const unavailable = (): CacheError => new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is on fire');
const never = (): Promise<never> => new Promise(() => undefined);

async function statusOf({ cache }: TiersUnderTest): Promise<string> {
  return (await served(cache.fetch(REQUEST, renderer()))).status;
}

/** Renders the image, which is stored in both tiers then. */
async function stored(env: Readonly<Record<string, string>> = {}): Promise<TiersUnderTest> {
  const made = await tiersUnderTest(env);
  await statusOf(made);
  await until(
    () => made.near.memory.size === 1 && made.far.memory.size === 1 && made.cache.load.stores === 0,
  );
  return made;
}

describe('an image', () => {
  it('is stored in every tier, and looked up in their order', async () => {
    const made = await stored();
    expect(made.cache.driverName).toBe('near,far');
    const before = { ...made.far.calls };
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=near');
    expect(made.far.calls).toEqual(before);
  });

  it('that an earlier tier lacks is served from a later one, and fills the earlier', async () => {
    const made = await stored();
    made.near.memory.clear();
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=far');
    await until(() => made.near.memory.size === 1);
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=near');
    expect(made.far.calls.put).toBe(1);
  });

  it('that is streamed, and so not read whole, fills nothing', async () => {
    const made = await stored({ IMGPROXY_CACHE_VERIFY_BYTES: '10' });
    made.near.memory.clear();
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=far');
    expect([made.near.calls.put, made.cache.load.stores]).toEqual([1, 0]);
  });

  it('is kept by an earlier tier for its own time only', async () => {
    const made = await stored({ IMGPROXY_CACHE_TIER_TTL_SECONDS: '5' });
    const [name = ''] = made.near.memory.names;
    const { created, expires = 0 } = { ...made.near.memory.peek(name)?.metadata };
    expect(expires - (created ?? 0)).toBe(5000);
    expect(made.far.memory.peek(name)?.metadata.expires).toBeUndefined();
    // Purged by another process.
    made.far.memory.clear();
    made.clock.advance(4999);
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=near');
    made.clock.advance(1);
    expect(await statusOf(made)).toBe('imgproxy-cache; fwd=miss; detail=expired');
  });

  it('never outlives its own lifetime in an earlier tier', async () => {
    const made = await stored({ IMGPROXY_CACHE_TIER_TTL_SECONDS: '60', IMGPROXY_CACHE_TTL_SECONDS: '10' });
    const [name = ''] = made.near.memory.names;
    expect(made.near.memory.peek(name)?.metadata.expires).toBe(made.far.memory.peek(name)?.metadata.expires);
  });

  it('is rendered and stored again in both where both are damaged', async () => {
    const made = await stored(STRICT);
    const damaged = () => Promise.reject(new CacheError('ERR_CACHE_CORRUPT', 'half a file'));
    Object.assign(made.near.hooks, { get: damaged });
    Object.assign(made.far.hooks, { get: damaged });
    expect(await statusOf(made)).toBe('imgproxy-cache; fwd=miss; stored; detail=ERR_CACHE_CORRUPT');
    expect([made.near.calls.put, made.far.calls.put]).toEqual([2, 2]);
  });
});

describe('a tier that fails', () => {
  it('is passed over when it is the first', async () => {
    const made = await stored();
    made.near.hooks.get = () => Promise.reject(unavailable());
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=far');
    expect(made.near.calls.put).toBe(1);
  });

  it('is passed over when it is the last: what the first certainly lacks is stored there', async () => {
    const made = await tiersUnderTest();
    made.far.hooks.get = () => Promise.reject(unavailable());
    expect(await statusOf(made)).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_UNAVAILABLE');
    await until(() => made.near.memory.size === 1);
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=near');
    expect(made.far.calls.put).toBe(0);
  });

  it('has a breaker of its own', async () => {
    const made = await tiersUnderTest({ IMGPROXY_CACHE_BREAKER_MIN_OPERATIONS: '1' });
    made.far.hooks.get = () => Promise.reject(unavailable());
    await statusOf(made);
    await until(() => made.near.memory.size === 1);
    made.near.memory.clear();
    expect(await statusOf(made)).toBe('imgproxy-cache; fwd=miss; detail=breaker-open');
    expect([made.near.calls.get, made.far.calls.get]).toEqual([2, 1]);
    expect(made.cache.health()).toMatchObject({
      status: 'open',
      reason: 'get is suspended: the store is on fire',
      tiers: [
        { driver: 'near', status: 'healthy' },
        { driver: 'far', status: 'open', code: 'ERR_CACHE_UNAVAILABLE' },
      ],
    });
  });

  it('fails a request where errors are reported, unless another has the image', async () => {
    const made = await stored(STRICT);
    made.near.hooks.get = () => Promise.reject(unavailable());
    expect(await statusOf(made)).toBe('imgproxy-cache; hit; detail=far');
    made.far.memory.clear();
    await expect(statusOf(made)).rejects.toMatchObject({ driver: 'near', operation: 'get' });
  });

  it('to store fails a request where errors are reported, whatever the other does', async () => {
    const made = await tiersUnderTest(STRICT);
    made.far.hooks.put = () => Promise.reject(unavailable());
    await expect(statusOf(made)).rejects.toMatchObject({ driver: 'far', operation: 'put' });
  });

  it('does not delay a look-up in all of them beyond its deadline', async () => {
    const made = await stored();
    made.near.hooks.get = never;
    made.far.hooks.get = never;
    let answered: string | undefined;
    void statusOf(made).then((status) => {
      answered = status;
    });
    await until(() => made.near.calls.get === 2);
    made.clock.advance(1000);
    await until(() => answered !== undefined);
    expect(answered).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT');
  });
});

describe('a purge', () => {
  it('empties every tier, the last first, and counts each image once', async () => {
    const made = await stored();
    const order: string[] = [];
    made.near.hooks.delete = async () => void order.push('near');
    made.far.hooks.delete = async () => void order.push('far');
    expect(await made.cache.purgeSource(REQUEST.source)).toBe(1);
    expect(order).toEqual(['far', 'near']);
    expect([made.near.memory.size, made.far.memory.size]).toEqual([0, 0]);
  });

  it('that comes while a later tier is read does not leave the image in an earlier one', async () => {
    const made = await stored();
    made.near.memory.clear();
    const read = Promise.withResolvers<'go on'>();
    made.far.hooks.get = () => read.promise;
    const request = served(made.cache.fetch(REQUEST, renderer()));
    await until(() => made.far.calls.get === 2);
    const [name = ''] = made.far.memory.names;
    const entry = made.far.memory.peek(name);
    await made.cache.purgeSource(REQUEST.source);
    // The store had begun to answer before.
    if (entry !== undefined) await made.far.memory.put(name, entry);
    read.resolve('go on');
    expect((await request).status).toBe('imgproxy-cache; hit; detail=far');
    expect([made.near.memory.size, made.cache.load.stores]).toEqual([0, 0]);
  });

  it('goes on with the other tiers where one fails, and says so', async () => {
    const made = await stored();
    made.far.hooks.delete = () => Promise.reject(unavailable());
    await expect(made.cache.delete(REQUEST)).rejects.toMatchObject({ driver: 'far', operation: 'delete' });
    expect(made.near.memory.size).toBe(0);
  });
});

it('stops: all tiers are drained and closed', async () => {
  const made = await tiersUnderTest();
  const held = Promise.withResolvers<void>();
  made.far.hooks.put = () => held.promise;
  await statusOf(made);
  const closing = made.cache.close();
  await until(() => made.near.memory.size === 1);
  expect([made.near.calls.close, made.far.calls.close]).toEqual([0, 0]);
  held.resolve();
  await closing;
  expect([made.near.calls.close, made.far.calls.close]).toEqual([1, 1]);
  expect(made.far.memory.size).toBe(1);
});

it('tells in its health what a probe finds, though no look-up reaches the last tier', async () => {
  const { cache, clock, near, far } = await tiersUnderTest();
  far.hooks.get = () => Promise.reject(new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is on fire'));
  far.hooks.put = far.hooks.get as never;
  for (const source of ['a', 'b', 'c']) await served(cache.fetch({ ...REQUEST, source }, renderer()));
  expect(cache.health()).toMatchObject({ status: 'open' });
  await until(() => near.memory.size === 3);
  delete far.hooks.get;
  delete far.hooks.put;
  clock.advance(1000);
  await until(() => cache.health().status === 'healthy');
  expect((await served(cache.fetch({ ...REQUEST, source: 'a' }, renderer()))).status).toBe(
    'imgproxy-cache; hit; detail=near',
  );
});
