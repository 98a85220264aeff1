import { describe, expect, it } from 'vitest';
import { bytesOf, cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

describe('requests for one image at the same time', () => {
  it('cost one look-up, one rendering and one store, a thousand of them', async () => {
    const { cache, driver, memory } = await cacheUnderTest();
    const render = renderer();
    const results = await Promise.all(
      Array.from({ length: 1000 }, () => served(cache.fetch(REQUEST, render))),
    );
    await until(() => memory.size === 1);
    expect([render.calls, driver.calls.get, driver.calls.put]).toEqual([1, 1, 1]);
    expect(results[0]?.status).toBe('imgproxy-cache; fwd=miss; detail=queued');
    expect(new Set(results.slice(1).map(({ status }) => status))).toEqual(
      new Set(['imgproxy-cache; fwd=miss; collapsed']),
    );
    for (const { body } of results) expect(Buffer.compare(body, bytesOf(1000))).toBe(0);
  });

  it('cost one look-up for a hit', async () => {
    const { cache, driver, memory } = await cacheUnderTest();
    await served(cache.fetch(REQUEST, renderer()));
    await until(() => memory.size === 1);
    driver.calls.get = 0;
    const results = await Promise.all(
      Array.from({ length: 100 }, () => served(cache.fetch(REQUEST, renderer()))),
    );
    expect(driver.calls.get).toBe(1);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['imgproxy-cache; hit']));
  });

  it('all get the error when the rendering fails; nothing is stored and the next request tries again', async () => {
    const { cache, driver } = await cacheUnderTest();
    const failure = new Error('no such source');
    const failing = renderer(() => Promise.reject(failure));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 1000 }, () => cache.fetch(REQUEST, failing)),
    );
    expect(failing.calls).toBe(1);
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === failure)).toBe(
      true,
    );

    const working = renderer();
    expect((await served(cache.fetch(REQUEST, working))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=queued',
    );
    expect(working.calls).toBe(1);
    expect(driver.calls.put).toBe(1);
  });

  it('go on when the one who came first goes away', async () => {
    const { cache } = await cacheUnderTest();
    const finish = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const render = async ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      await finish.promise;
      return { body: bytesOf(1000), contentType: 'image/webp' };
    };
    const first = new AbortController();
    const leader = cache.fetch({ ...REQUEST, signal: first.signal }, render);
    const followers = [1, 2, 3].map(() => served(cache.fetch(REQUEST, render)));
    await until(() => signals.length === 1);
    first.abort();
    await expect(leader).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    finish.resolve();
    for (const { status, body } of await Promise.all(followers)) {
      expect(status).toBe('imgproxy-cache; fwd=miss; collapsed');
      expect(body.length).toBe(1000);
    }
    expect(signals).toHaveLength(1);
    expect(signals[0]?.aborted).toBe(false);
  });

  it('end the rendering when all have gone away, and the next request begins anew', async () => {
    const { cache } = await cacheUnderTest();
    const signals: AbortSignal[] = [];
    const hanging = async ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise<never>(() => undefined);
    };
    const clients = [new AbortController(), new AbortController()];
    const requests = clients.map(({ signal }) => cache.fetch({ ...REQUEST, signal }, hanging));
    const outcomes = Promise.allSettled(requests);
    await until(() => signals.length === 1);
    clients[0]?.abort();
    expect(signals[0]?.aborted).toBe(false);
    clients[1]?.abort();
    expect(signals[0]?.aborted).toBe(true);
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
    expect((await served(cache.fetch(REQUEST, renderer()))).body.length).toBe(1000);
  });

  it('do not wait for a rendering that hangs longer than they may: one of them renders anew, for all', async () => {
    const { cache, clock, memory } = await cacheUnderTest({ IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS: '5' });
    const late = Promise.withResolvers<void>();
    const hanging = renderer(async () => {
      await late.promise;
      return { body: bytesOf(1000, 7) };
    });
    const leader = served(cache.fetch(REQUEST, hanging));
    const render = renderer();
    const followers = Array.from({ length: 100 }, () => served(cache.fetch(REQUEST, render)));
    await until(() => hanging.calls === 1);
    clock.advance(4999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(render.calls).toBe(0);
    clock.advance(1);
    for (const { body } of await Promise.all(followers)) expect(body).toEqual(bytesOf(1000));
    expect(render.calls).toBe(1);
    await until(() => memory.size === 1);

    late.resolve();
    expect(await leader).toEqual({
      status: 'imgproxy-cache; fwd=miss; detail=invalidated',
      body: bytesOf(1000, 7),
    });
    expect((await served(cache.fetch(REQUEST, render))).body).toEqual(bytesOf(1000));
    expect(cache.load).toEqual({ flights: 0, stores: 0, bytes: 0 });
  });

  it('may go away while they wait, which ends neither the rendering nor the waiting of the others', async () => {
    const { cache } = await cacheUnderTest();
    const finish = Promise.withResolvers<void>();
    const render = renderer(() => finish.promise.then(() => ({})));
    const leader = served(cache.fetch(REQUEST, render));
    const gone = new AbortController();
    const leaving = Array.from({ length: 10 }, () =>
      cache.fetch({ ...REQUEST, signal: gone.signal }, render),
    );
    const staying = served(cache.fetch(REQUEST, render));
    await until(() => render.calls === 1);
    gone.abort();
    for (const outcome of await Promise.allSettled(leaving)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CACHE_ABORTED' } });
    }
    finish.resolve();
    await Promise.all([leader, staying]);
    expect(render.calls).toBe(1);
  });

  it('leave nothing to be stored that was rendered although all had gone', async () => {
    const { cache, driver } = await cacheUnderTest();
    const finish = Promise.withResolvers<void>();
    const deaf = renderer(() => finish.promise.then(() => ({})));
    const client = new AbortController();
    const request = cache.fetch({ ...REQUEST, signal: client.signal }, deaf);
    await until(() => deaf.calls === 1);
    client.abort();
    await expect(request).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    await cache.delete(REQUEST);
    finish.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(driver.calls.put).toBe(0);
    expect(cache.load).toEqual({ flights: 0, stores: 0, bytes: 0 });
  });

  it('refuse a request whose client has gone already, without rendering', async () => {
    const { cache } = await cacheUnderTest();
    const render = renderer();
    await expect(cache.fetch({ ...REQUEST, signal: AbortSignal.abort() }, render)).rejects.toMatchObject({
      code: 'ERR_CACHE_ABORTED',
    });
    expect(render.calls).toBe(0);
  });

  it('share nothing that is not to be stored: each gets a rendering of his own', async () => {
    const { cache, driver } = await cacheUnderTest();
    const render = renderer((call) => ({ store: false, body: bytesOf(100, call) }));
    const results = await Promise.all(Array.from({ length: 20 }, () => served(cache.fetch(REQUEST, render))));
    expect(render.calls).toBe(20);
    expect(new Set(results.map(({ body }) => Buffer.from(body).toString('hex'))).size).toBe(20);
    expect(driver.calls.put).toBe(0);
    expect(driver.calls.get).toBe(1);
  });

  it('read a large stored image each for himself', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_VERIFY_BYTES: '10' });
    await served(cache.fetch(REQUEST, renderer()));
    await until(() => memory.size === 1);
    const render = renderer();
    const results = await Promise.all(Array.from({ length: 20 }, () => served(cache.fetch(REQUEST, render))));
    expect(render.calls).toBe(0);
    for (const { status, body } of results) {
      expect(status).toBe('imgproxy-cache; hit');
      expect(Buffer.compare(body, bytesOf(1000))).toBe(0);
    }
  });
});
