import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { BreakerEvent } from '@imgproxy-cache/core';
import { CacheError } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { type CacheUnderTest, cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

const QUEUED = 'imgproxy-cache; fwd=miss; detail=queued';
const OPEN = 'imgproxy-cache; fwd=miss; detail=breaker-open';
const unavailable = (): CacheError => new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is on fire');
const never = (): Promise<never> => new Promise(() => undefined);
const QUICK = { IMGPROXY_CACHE_BREAKER_MIN_OPERATIONS: '4' };

let variants = 0;
/** A request for an image that nobody has asked for before. */
const another = () => ({ ...REQUEST, options: [['width', String(variants++)] as const] });

async function statusOf({ cache }: CacheUnderTest): Promise<string> {
  return (await served(cache.fetch(another(), renderer()))).status;
}

/** Lets look-ups fail until the breaker opens. */
async function openReads(env: Readonly<Record<string, string>> = {}): Promise<CacheUnderTest> {
  const made = await cacheUnderTest({ ...QUICK, ...env }, { get: () => Promise.reject(unavailable()) });
  for (let request = 0; request < 3; request++) await statusOf(made);
  expect(made.cache.health()).toMatchObject({ status: 'open' });
  return made;
}

describe('a breaker that look-ups have opened', () => {
  it('keeps look-ups and stores from the driver', async () => {
    const made = await openReads();
    made.driver.calls.get = 0;
    for (let request = 0; request < 50; request++) expect(await statusOf(made)).toBe(OPEN);
    expect(made.driver.calls).toMatchObject({ get: 0, put: 0 });
  });

  it('is logged once when it opens and once when it closes', async () => {
    const { log, ...made } = await openReads();
    for (let request = 0; request < 50; request++) await statusOf({ log, ...made });
    // Two probes that fail, and one that does not.
    for (const wait of [1000, 2000]) {
      made.clock.advance(wait);
      await new Promise((resolve) => setImmediate(resolve));
    }
    delete made.hooks.get;
    made.clock.advance(4000);
    await until(() => made.cache.health().status === 'healthy');
    expect(log.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'warn: cache get failed, rendering without the cache: the store is on fire',
      'warn: cache get is suspended, images are rendered without it: the store is on fire',
      'info: cache get works again',
    ]);
  });

  it('fails requests at once where errors are reported', async () => {
    const made = await cacheUnderTest(
      { ...QUICK, IMGPROXY_CACHE_REPORT_ERRORS: 'true' },
      { get: () => Promise.reject(unavailable()) },
    );
    for (let request = 0; request < 4; request++) await statusOf(made).catch(() => undefined);
    const render = renderer();
    await expect(made.cache.fetch(another(), render)).rejects.toMatchObject({
      code: 'ERR_CACHE_UNAVAILABLE',
      message: 'get is suspended after too many failures, the latest: the store is on fire',
      driver: 'hooked',
      operation: 'get',
    });
    expect([render.calls, made.driver.calls.get]).toEqual([0, 3]);
  });

  it('probes in the background after a while, without a request', async () => {
    const made = await openReads();
    made.driver.calls.get = 0;
    made.hooks.get = never;
    made.clock.advance(999);
    expect([await statusOf(made), made.driver.calls.get]).toEqual([OPEN, 0]);
    made.clock.advance(1);
    await until(() => made.driver.calls.get === 1);
    for (let request = 0; request < 20; request++) expect(await statusOf(made)).toBe(OPEN);
    expect(made.driver.calls.get).toBe(1);
    // The probe itself is late, and the wait doubles.
    made.clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    made.hooks.get = async () => undefined;
    made.clock.advance(1999);
    expect([await statusOf(made), made.driver.calls.get]).toEqual([OPEN, 1]);
    made.clock.advance(1);
    await until(() => made.cache.health().status === 'healthy');
    expect([await statusOf(made), made.driver.calls.get]).toEqual([QUEUED, 18]);
  });

  it('stays open where one of the look-ups of a probe fails', async () => {
    const made = await openReads();
    made.driver.calls.get = 0;
    made.hooks.get = () =>
      made.driver.calls.get === 16 ? Promise.reject(unavailable()) : Promise.resolve(undefined);
    made.clock.advance(1000);
    await until(() => made.driver.calls.get === 16);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await statusOf(made)).toBe(OPEN);
  });

  it('probes no more once the cache is closed', async () => {
    const made = await openReads();
    made.driver.calls.get = 0;
    await made.cache.close();
    made.clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(made.driver.calls.get).toBe(0);
  });

  it('waits no longer than the limit before it tries again', async () => {
    const made = await openReads({ IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '3' });
    made.driver.calls.get = 0;
    for (const [probe, wait] of [1000, 2000, 3000, 3000, 3000].entries()) {
      made.clock.advance(wait - 1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(made.driver.calls.get).toBe(probe);
      made.clock.advance(1);
      await until(() => made.driver.calls.get === probe + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('goes on with its waits where it opens again soon, and begins anew where it does not', async () => {
    const made = await openReads();
    const reopen = async (): Promise<number> => {
      made.hooks.get = () => Promise.reject(unavailable());
      for (let request = 0; request < 3; request++) await statusOf(made);
      delete made.hooks.get;
      const before = made.driver.calls.get;
      let waited = 0;
      while (made.driver.calls.get === before) {
        made.clock.advance(500);
        waited += 500;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => made.cache.health().status === 'healthy');
      return waited;
    };
    delete made.hooks.get;
    made.clock.advance(1000);
    await until(() => made.cache.health().status === 'healthy');
    expect(await reopen()).toBe(2000);
    expect(await reopen()).toBe(4000);
    made.clock.advance(10_001);
    expect(await reopen()).toBe(1000);
  });
});

describe('look-ups', () => {
  it('that are slow count as failures', async () => {
    const made = await cacheUnderTest(QUICK);
    made.hooks.get = async () => {
      made.clock.advance(500);
      return undefined;
    };
    for (let request = 0; request < 3; request++) expect(await statusOf(made)).toBe(QUEUED);
    expect(await statusOf(made)).toBe(OPEN);
    expect(made.cache.health()).toMatchObject({
      status: 'open',
      code: 'ERR_CACHE_TIMEOUT',
      reason: 'get is suspended: get took 0.500 seconds',
    });
  });

  it('that fail below the share do not open it', async () => {
    let call = 0;
    const made = await cacheUnderTest(QUICK, {
      get: () => (call++ % 4 === 3 ? Promise.reject(unavailable()) : Promise.resolve(undefined)),
    });
    for (let request = 0; request < 100; request++) await statusOf(made);
    expect(made.driver.calls.get).toBe(100);
  });

  it('that failed longer ago than the window do not count', async () => {
    const made = await cacheUnderTest(QUICK, { get: () => Promise.reject(unavailable()) });
    for (let request = 0; request < 20; request++) {
      await statusOf(made);
      made.clock.advance(4000);
    }
    expect(made.driver.calls.get).toBe(20);
  });

  it('never open it where the threshold is 0', async () => {
    const made = await cacheUnderTest(
      { ...QUICK, IMGPROXY_CACHE_BREAKER_THRESHOLD: '0' },
      { get: () => Promise.reject(unavailable()) },
    );
    for (let request = 0; request < 100; request++) await statusOf(made);
    expect(made.driver.calls.get).toBe(100);
  });

  it('of damaged entries, and of images that are not there, do not count', async () => {
    const made = await cacheUnderTest(QUICK, {
      get: () => Promise.reject(new CacheError('ERR_CACHE_CORRUPT', 'half a file')),
    });
    for (let request = 0; request < 20; request++) await statusOf(made);
    expect([made.driver.calls.get, made.cache.health().status]).toEqual([20, 'healthy']);
  });

  it('that began before it opened say nothing of the probe', async () => {
    const made = await cacheUnderTest(QUICK);
    const late = Promise.withResolvers<undefined>();
    made.hooks.get = () => late.promise;
    const early = made.cache.fetch(another(), renderer());
    await until(() => made.driver.calls.get === 1);
    made.hooks.get = () => Promise.reject(unavailable());
    for (let request = 0; request < 3; request++) await statusOf(made);
    made.hooks.get = never;
    made.clock.advance(999);
    late.resolve(undefined);
    await served(early);
    expect([await statusOf(made), made.cache.health().status]).toEqual([OPEN, 'open']);
  });
});

describe('a breaker that stores have opened', () => {
  const fail = () => ({ put: () => Promise.reject(unavailable()) });

  it('keeps stores from the driver, and leaves look-ups alone', async () => {
    const made = await cacheUnderTest(QUICK, fail());
    for (let request = 1; request <= 3; request++) {
      expect(await statusOf(made)).toBe(QUEUED);
      await until(() => made.driver.calls.put === request && made.cache.load.stores === 0);
    }
    for (let request = 0; request < 20; request++) expect(await statusOf(made)).toBe(OPEN);
    expect(made.driver.calls).toMatchObject({ get: 23, put: 3 });
    expect(made.cache.health()).toMatchObject({
      status: 'open',
      reason: 'put is suspended: the store is on fire',
    });
  });

  it('closes when the check of the driver succeeds in the background', async () => {
    const made = await cacheUnderTest(QUICK, fail());
    for (let request = 1; request <= 3; request++) {
      await statusOf(made);
      await until(() => made.driver.calls.put === request && made.cache.load.stores === 0);
    }
    made.hooks.check = () => Promise.reject(unavailable());
    made.clock.advance(1000);
    await until(() => made.driver.calls.check === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await statusOf(made)).toBe(OPEN);
    delete made.hooks.check;
    delete made.hooks.put;
    made.clock.advance(2000);
    await until(() => made.cache.health().status === 'healthy');
    expect(await statusOf(made)).toBe(QUEUED);
    await until(() => made.driver.calls.put === 4);
  });

  it('fails requests at once where errors are reported', async () => {
    const made = await cacheUnderTest({ ...QUICK, IMGPROXY_CACHE_REPORT_ERRORS: 'true' }, fail());
    for (let request = 0; request < 3; request++) await statusOf(made).catch(() => undefined);
    await expect(statusOf(made)).rejects.toMatchObject({
      code: 'ERR_CACHE_UNAVAILABLE',
      message: 'put is suspended after too many failures, the latest: the store is on fire',
    });
    expect(made.driver.calls.put).toBe(3);
  });

  it('does not keep a delete from being tried', async () => {
    const made = await cacheUnderTest(QUICK, fail());
    for (let request = 1; request <= 3; request++) {
      await statusOf(made);
      await until(() => made.driver.calls.put === request && made.cache.load.stores === 0);
    }
    await made.cache.delete(REQUEST);
    expect(made.driver.calls.delete).toBe(1);
  });
});

it('counts a damaged entry that its probe finds, and closes: the store has answered', async () => {
  const found: unknown[] = [];
  const listener = (event: unknown): void => void found.push(event);
  const made = await openReads();
  subscribe('imgproxy-cache:corrupt', listener);
  try {
    made.hooks.get = () => Promise.reject(new CacheError('ERR_CACHE_CORRUPT', 'half a file'));
    made.clock.advance(1000);
    await until(() => made.cache.health().status !== 'open');
    await until(() => found.length === 16);
  } finally {
    unsubscribe('imgproxy-cache:corrupt', listener);
  }
});

it('tells its changes as events', async () => {
  const changes: string[] = [];
  const listener = (event: unknown): void => {
    const { driver, operation, previous, state } = event as BreakerEvent;
    changes.push(`${driver} ${operation}: ${previous} -> ${state}`);
  };
  subscribe('imgproxy-cache:breaker', listener);
  try {
    const made = await openReads();
    made.clock.advance(1000);
    await until(() => changes.length === 3);
    delete made.hooks.get;
    made.clock.advance(2000);
    await until(() => changes.length === 5);
  } finally {
    unsubscribe('imgproxy-cache:breaker', listener);
  }
  expect(changes).toEqual([
    'hooked get: closed -> open',
    'hooked get: open -> half-open',
    'hooked get: half-open -> open',
    'hooked get: open -> half-open',
    'hooked get: half-open -> closed',
  ]);
});
