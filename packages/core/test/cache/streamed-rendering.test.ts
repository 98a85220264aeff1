import { Readable } from 'node:stream';
import { StreamedEntry } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { bytesOf, cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

/** A source that gives its chunks when it is told to, and remembers what became of it. */
class ManualSource implements AsyncIterable<Uint8Array> {
  taken = 0;
  closed = false;
  readonly #steps: PromiseWithResolvers<IteratorResult<Uint8Array>>[] = [];
  #given = 0;

  #step(index: number): PromiseWithResolvers<IteratorResult<Uint8Array>> {
    this.#steps[index] ??= Promise.withResolvers();
    return this.#steps[index];
  }

  give(chunk: Uint8Array): void {
    this.#step(this.#given++).resolve({ done: false, value: chunk });
  }

  end(): void {
    this.#step(this.#given++).resolve({ done: true, value: undefined });
  }

  fail(error: Error): void {
    this.#step(this.#given++).reject(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#step(this.taken++).promise,
      return: async () => {
        this.closed = true;
        // As a generator does that is told to return while somebody waits for its next value.
        this.end();
        return { done: true, value: undefined };
      },
    };
  }
}

const QUEUED = 'imgproxy-cache; fwd=miss; detail=queued';
const HIT = 'imgproxy-cache; hit';

describe('a rendering that is a stream', () => {
  it('is served while it is collected, and stored', async () => {
    const { cache, memory } = await cacheUnderTest();
    const source = new ManualSource();
    source.give(bytesOf(600, 1));
    const { status, image } = await cache.fetch(REQUEST, renderer({ body: source }));
    expect(String(status)).toBe('imgproxy-cache; fwd=miss');
    const stream = image.stream()[Symbol.asyncIterator]();
    expect(Buffer.from((await stream.next()).value)).toEqual(Buffer.from(bytesOf(600, 1)));
    expect(memory.size).toBe(0);
    source.give(bytesOf(500, 2));
    source.end();
    expect(Buffer.from((await stream.next()).value)).toEqual(Buffer.from(bytesOf(500, 2)));
    expect((await stream.next()).done).toBe(true);
    await until(() => memory.size === 1);
    const hit = await served(cache.fetch(REQUEST, renderer()));
    expect(hit.status).toBe(HIT);
    expect(Buffer.from(hit.body)).toEqual(Buffer.concat([bytesOf(600, 1), bytesOf(500, 2)]));
  });

  it('reaches those who wait although the first client reads nothing', async () => {
    const { cache, memory } = await cacheUnderTest();
    const body = bytesOf(1_000_000);
    const render = renderer(() => ({
      body: Readable.from([body.subarray(0, 400_000), body.subarray(400_000)]),
    }));
    const slow = await cache.fetch(REQUEST, render);
    const followers = await Promise.all([1, 2].map(() => served(cache.fetch(REQUEST, render))));
    for (const follower of followers) expect(Buffer.compare(follower.body, body)).toBe(0);
    expect(followers[0]?.status).toMatch(/collapsed|hit/);
    await until(() => memory.size === 1);
    expect(Buffer.compare(await slow.image.bytes(), body)).toBe(0);
    expect(render.calls).toBe(1);
  });

  it('past the largest size is served whole and not stored, and those who wait render for themselves', async () => {
    const { cache, driver } = await cacheUnderTest({ IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000' });
    const chunks = [bytesOf(600, 1), bytesOf(600, 2), bytesOf(600, 3)];
    const render = renderer(() => ({ body: Readable.from(chunks) }));
    const results = await Promise.all([1, 2, 3].map(() => served(cache.fetch(REQUEST, render))));
    for (const { body } of results) expect(Buffer.compare(body, Buffer.concat(chunks))).toBe(0);
    expect(render.calls).toBe(3);
    await cache.close();
    expect(driver.calls.put).toBe(0);
  });

  it('past the largest size is read only as fast as its client reads', async () => {
    const { cache } = await cacheUnderTest({ IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000' });
    let made = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (; made < 10_000; made++) yield bytesOf(10_000, made);
    };
    const { image } = await cache.fetch(REQUEST, renderer({ body: endless() }));
    const stream = image.stream();
    for await (const _chunk of stream) break;
    await until(() => stream.destroyed);
    expect(made).toBeLessThan(50);
  });

  it('that fails breaks off its client, fails those who wait, and is not stored', async () => {
    const { cache, driver } = await cacheUnderTest();
    const source = new ManualSource();
    source.give(bytesOf(600));
    const { image } = await cache.fetch(REQUEST, renderer({ body: source }));
    const follower = cache.fetch(REQUEST, renderer());
    source.fail(new Error('decoder died'));
    await expect(image.bytes()).rejects.toThrow('decoder died');
    await expect(follower).rejects.toThrow('decoder died');
    await cache.close();
    expect(driver.calls.put).toBe(0);
  });

  it('that fails before its first chunk fails the request', async () => {
    const { cache, driver } = await cacheUnderTest();
    const source = new ManualSource();
    source.fail(new Error('decoder died'));
    await expect(cache.fetch(REQUEST, renderer({ body: source }))).rejects.toThrow('decoder died');
    expect(cache.load).toEqual({ flights: 0, stores: 0, bytes: 0 });
    expect(driver.calls.put).toBe(0);
  });

  it.each([
    ['an ArrayBuffer', new ArrayBuffer(8), 'ArrayBuffer'],
    ['a number', 7, 'number'],
    ['text', 'GIF89a', 'text'],
    ['an object', { length: 3 }, 'Object'],
  ])('that yields %s is a TypeError, closes the source and holds no memory', async (_kind, chunk, said) => {
    const { cache, driver } = await cacheUnderTest();
    const first = new ManualSource();
    first.give(chunk as never);
    const fetching = cache.fetch(REQUEST, renderer({ body: first }));
    await expect(fetching).rejects.toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_RETURN_VALUE',
      message: `the stream that render gave yields ${said}: each chunk must be a Uint8Array, such as a Buffer`,
    });
    const later = new ManualSource();
    later.give(bytesOf(600));
    later.give(chunk as never);
    const { image } = await cache.fetch(REQUEST, renderer({ body: later }));
    await expect(image.bytes()).rejects.toThrow(TypeError);
    await until(() => first.closed && later.closed && cache.load.bytes === 0);
    expect(driver.calls.put).toBe(0);
  });

  it.each(['bypass', 'store: false'])('that yields a number is a TypeError, too, with %s', async (how) => {
    const { cache } = await cacheUnderTest();
    const source = new ManualSource();
    source.give(7 as never);
    const rendering = renderer({ body: source, store: how === 'bypass' });
    const { image } = await cache.fetch({ ...REQUEST, bypass: how === 'bypass' }, rendering);
    await expect(image.bytes()).rejects.toThrow('yields number: each chunk must be a Uint8Array');
  });

  it('is closed and not stored as if it were whole when its only client goes away', async () => {
    const { cache, driver } = await cacheUnderTest();
    const source = new ManualSource();
    source.give(bytesOf(600));
    const { image } = await cache.fetch(REQUEST, renderer({ body: source }));
    for await (const _chunk of image.stream()) break;
    await until(() => source.closed);
    await cache.close();
    expect(driver.calls.put).toBe(0);
  });

  it('is closed when its only client goes away before he has read anything', async () => {
    const { cache, driver } = await cacheUnderTest();
    const source = new ManualSource();
    source.give(bytesOf(600));
    const { image } = await cache.fetch(REQUEST, renderer({ body: source }));
    image.stream().destroy();
    await until(() => source.closed);
    await cache.close();
    expect(driver.calls.put).toBe(0);
  });

  it('goes on for those who wait when its first client goes away, and is stored', async () => {
    const { cache, memory } = await cacheUnderTest();
    const source = new ManualSource();
    source.give(bytesOf(600));
    const { image } = await cache.fetch(REQUEST, renderer({ body: source }));
    const follower = served(cache.fetch(REQUEST, renderer()));
    await image.discard();
    source.give(bytesOf(500));
    source.end();
    expect((await follower).body.length).toBe(1100);
    expect(source.closed).toBe(false);
    await until(() => memory.size === 1);
  });

  it('goes on for those who wait when its first client has gone before it comes', async () => {
    const { cache, memory } = await cacheUnderTest();
    const source = new ManualSource();
    const begun = Promise.withResolvers<void>();
    const render = renderer(() => begun.promise.then(() => ({ body: source })));
    const first = new AbortController();
    const leader = cache.fetch({ ...REQUEST, signal: first.signal }, render);
    const follower = served(cache.fetch(REQUEST, render));
    await until(() => render.calls === 1);
    first.abort();
    await expect(leader).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    begun.resolve();
    source.give(bytesOf(1000));
    source.end();
    expect(await follower).toEqual({ status: 'imgproxy-cache; fwd=miss; collapsed', body: bytesOf(1000) });
    await until(() => memory.size === 1);
  });

  it('is collected before it is served where errors are reported', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    const body = Readable.from([bytesOf(600), bytesOf(500)]);
    const { status, body: whole } = await served(cache.fetch(REQUEST, renderer({ body })));
    expect(status).toBe('imgproxy-cache; fwd=miss; stored');
    expect(whole.length).toBe(1100);
    expect(memory.size).toBe(1);
  });

  it('past the largest size is served whole where errors are reported', async () => {
    const { cache } = await cacheUnderTest({
      IMGPROXY_CACHE_REPORT_ERRORS: '1',
      IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000',
    });
    const body = Readable.from([bytesOf(600), bytesOf(500), bytesOf(400)]);
    const { status, body: whole } = await served(cache.fetch(REQUEST, renderer({ body })));
    expect(status).toBe('imgproxy-cache; fwd=miss; detail=too-large');
    expect(whole.length).toBe(1500);
  });

  it('that is not to be stored goes straight through', async () => {
    const { cache } = await cacheUnderTest();
    const body = Readable.from([bytesOf(600)]);
    const { status, image } = await cache.fetch(REQUEST, renderer({ body, store: false }));
    expect(String(status)).toBe('imgproxy-cache; fwd=miss; detail=not-storable');
    await image.discard();
    expect(body.destroyed).toBe(true);
  });
});

describe('a stored image that is streamed', () => {
  it.each(['before its first read', 'while a read hangs'])(
    'is released when its client goes away %s',
    async (when) => {
      const { cache, memory, hooks } = await cacheUnderTest({ IMGPROXY_CACHE_VERIFY_BYTES: '10' });
      await served(cache.fetch(REQUEST, renderer()));
      await until(() => memory.size === 1);
      const entry = memory.peek(memory.names[0] ?? '');
      let reading = false;
      let closed = false;
      hooks.get = async () =>
        entry &&
        new StreamedEntry(entry.metadata, {
          bytes: () => Promise.reject(new Error('too large to be read whole')),
          async *chunks(signal) {
            yield entry.body.subarray(0, 400);
            yield entry.body.subarray(400, 800);
            reading = true;
            await new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => reject(signal.reason)),
            );
            yield entry.body.subarray(800);
          },
          close: async () => {
            closed = true;
          },
        });
      const stream = (await cache.fetch(REQUEST, renderer())).image.stream();
      if (when === 'while a read hangs') {
        stream.on('data', () => undefined);
        await until(() => reading);
      }
      stream.destroy();
      await until(() => closed);
      expect(reading).toBe(when === 'while a read hangs');
    },
  );
});

describe('bytes in flight', () => {
  it('are limited over all requests, and given back once an image is stored or given up', async () => {
    const release = Promise.withResolvers<void>();
    const { cache, driver, memory } = await cacheUnderTest(
      { IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT: '1500' },
      { put: () => release.promise },
    );
    const image = (name: string) => ({ ...REQUEST, source: name });
    expect((await served(cache.fetch(image('a'), renderer()))).status).toBe(QUEUED);
    expect((await served(cache.fetch(image('b'), renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=bytes-in-flight',
    );
    const streamed = await served(
      cache.fetch(image('c'), renderer({ body: Readable.from([bytesOf(1000)]) })),
    );
    expect(streamed.body.length).toBe(1000);
    release.resolve();
    await until(() => memory.size === 1);
    expect(driver.calls.put).toBe(1);

    const unfinished = new ManualSource();
    unfinished.give(bytesOf(10));
    const abandoned = await cache.fetch(image('d'), renderer({ body: unfinished }));
    await abandoned.image.discard();
    expect((await served(cache.fetch(image('e'), renderer()))).status).toBe(QUEUED);
    await until(() => memory.size === 2);
    const again = renderer({ body: Readable.from([bytesOf(700), bytesOf(700)]) });
    expect((await served(cache.fetch(image('f'), again))).body.length).toBe(1400);
    await until(() => memory.size === 3);
  });

  it('include what slow clients hold after it was stored, without a share of what look-ups need', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT: '1500' });
    const image = (name: string) => ({ ...REQUEST, source: name });
    const stream = () => renderer({ body: Readable.from([bytesOf(500), bytesOf(500)]) });
    const slow = await cache.fetch(image('a'), stream());
    await until(() => memory.size === 1 && cache.load.bytes === 0);

    expect((await served(cache.fetch(image('b'), stream()))).body.length).toBe(1000);
    expect((await served(cache.fetch(image('a'), stream()))).status).toBe(HIT);
    expect(memory.size).toBe(1);

    await slow.image.discard();
    await served(cache.fetch(image('c'), stream()));
    await until(() => memory.size === 2);
  });

  it('are given back where the image is stored before it is served', async () => {
    const { cache, memory } = await cacheUnderTest({
      IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT: '1500',
      IMGPROXY_CACHE_REPORT_ERRORS: 'true',
    });
    for (const source of ['a', 'b', 'c']) {
      const rendering = renderer({ body: Readable.from([bytesOf(1000)]) });
      await served(cache.fetch({ ...REQUEST, source }, rendering));
    }
    expect(memory.size).toBe(3);
  });
});
