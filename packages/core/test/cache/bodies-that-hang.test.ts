import { setTimeout } from 'node:timers/promises';
import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  CacheError,
  defineCacheDriver,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { bytesOf, type LogLine, renderer, type Served, served, until } from './cache-under-test.js';

const HIT = 'imgproxy-cache; hit';
const LARGE = 300_000;
const SMALL = 1000;
// Made ahead: the longer renderings take, the more of their time hits save, and the more failures breakers bear.
const LARGE_BODY = bytesOf(LARGE);
const SMALL_BODY = bytesOf(SMALL);

/** A store that finds entries, and whose bodies a test can hold up. */
class StoreOfBodies extends MemoryDriver {
  /** Bodies that were asked for. */
  reads = 0;
  gets = 0;
  /** How many bytes of a body come before it hangs; `undefined`: all of it. */
  hangsAfter: (name: string, size: number) => number | undefined = () => undefined;
  /** How many bytes of a body come before the wire gives it up; `undefined`: all of it. */
  breaksOffAfter: (size: number) => number | undefined = () => undefined;
  damaged: (name: string) => boolean = () => false;

  override async get(name: string): Promise<StoredEntry | undefined> {
    this.gets++;
    const entry = this.peek(name);
    if (entry === undefined) return undefined;
    const { metadata } = entry;
    const body = Uint8Array.from(entry.body);
    if (this.damaged(name)) body[body.length - 1] = (body.at(-1) ?? 0) ^ 1;
    const chunks = this.#chunks(name, body);
    return new StreamedEntry(metadata, {
      bytes: async (signal) => {
        const read: Uint8Array[] = [];
        for await (const chunk of chunks(signal)) read.push(chunk);
        return Buffer.concat(read);
      },
      chunks,
      close: async () => undefined,
    });
  }

  #chunks(name: string, body: Uint8Array): (signal: AbortSignal) => AsyncGenerator<Uint8Array> {
    const chunkSize = Math.ceil(body.length / 10);
    return async function* (this: StoreOfBodies, signal: AbortSignal) {
      this.reads++;
      const limit = this.hangsAfter(name, body.length) ?? Number.POSITIVE_INFINITY;
      for (let offset = 0; offset < body.length; offset += chunkSize) {
        if (offset >= limit) {
          await new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
          );
        }
        if (offset >= (this.breaksOffAfter(body.length) ?? Number.POSITIVE_INFINITY)) {
          await setTimeout(50);
          throw new CacheError('ERR_CACHE_TIMEOUT', 'no more bytes within 50 milliseconds');
        }
        yield body.subarray(offset, offset + chunkSize);
      }
    }.bind(this);
  }
}

const caches: ImageCache[] = [];
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close();
});

interface Host {
  readonly cache: ImageCache;
  readonly store: StoreOfBodies;
  readonly log: LogLine[];
  readonly render: ReturnType<typeof renderer>;
  ask(image: string): Promise<Served>;
}

/** A host as it is made without a container: on the machine's clock, with look-ups of 100 ms. */
async function host(env: Readonly<Record<string, string>> = {}): Promise<Host> {
  const store = new StoreOfBodies({ maxSize: 1e9 });
  const log: LogLine[] = [];
  const note =
    (level: string) =>
    (fields: object, message: string): void =>
      void log.push({ level, fields: { ...fields }, message });
  const definition = defineCacheDriver({
    name: 'bodies',
    contract: 1,
    config: {},
    capabilities: { shared: false },
    create: (): CacheDriver => store,
  });
  const cache = await createImageCache({
    env: {
      IMGPROXY_CACHE_USE: 'bodies',
      IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.1',
      IMGPROXY_CACHE_VERIFY_BYTES: '100000',
      IMGPROXY_CACHE_BREAKER_RETRY_SECONDS: '0.05',
      IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '0.2',
      ...env,
    },
    drivers: [definition],
    logger: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
  });
  caches.push(cache);
  const render = renderer();
  const ask = (image: string): Promise<Served> =>
    served(
      cache.fetch({ source: image }, async () => ({
        ...(await render({ signal: AbortSignal.abort() })),
        body: image.startsWith('large') ? LARGE_BODY : SMALL_BODY,
      })),
    );
  return { cache, store, log, render, ask };
}

/** Stores images and asks for each once more. */
async function stored({ ask, cache }: Host, images: readonly string[]): Promise<void> {
  for (const image of images) await ask(image);
  await until(() => cache.load.stores === 0);
  for (const image of images) expect((await ask(image)).status).toBe(HIT);
}

const numbered = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${kind} ${index}`);

describe('a hit whose body never comes', () => {
  it.each(['small', 'large'])('is rendered after one look-up deadline: %s', async (kind) => {
    const made = await host();
    await stored(made, [`${kind} 0`]);
    made.store.hangsAfter = () => 0;
    const { status, body } = await made.ask(`${kind} 0`);
    expect(status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT');
    expect(body.length).toBe(kind === 'small' ? SMALL : LARGE);
  });

  it('is rendered and stored by the next request, without being tried again', async () => {
    const made = await host();
    await stored(made, ['small 0', 'small 1']);
    made.store.hangsAfter = () => 0;
    await made.ask('small 0');
    made.store.hangsAfter = () => undefined;
    const { reads } = made.store;
    expect((await made.ask('small 0')).status).toBe('imgproxy-cache; fwd=miss; detail=unreadable');
    expect(made.store.reads).toBe(reads);
    await until(() => made.cache.load.stores === 0);
    expect((await made.ask('small 0')).status).toBe(HIT);
  });

  it('opens a breaker at the third, which stays open as long as bodies hang, and nobody pays after that', async () => {
    const made = await host();
    const images = numbered('small', 40);
    await stored(made, images);
    made.store.hangsAfter = () => 0;
    for (const image of images.slice(0, 3)) await made.ask(image);
    await until(() => made.cache.health().status === 'open');
    expect(made.cache.health()).toMatchObject({ reason: expect.stringMatching(/^read is suspended/) });
    // Several probes, each of which reads a body.
    const before = made.store.reads;
    while (made.store.reads < before + 3) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const image of images) {
        expect((await made.ask(image)).status).toBe('imgproxy-cache; fwd=miss; detail=breaker-open');
      }
    }
    expect(made.log.filter(({ message }) => message.includes('suspended')).length).toBe(1);
    made.store.hangsAfter = () => undefined;
    await eventually(() => made.cache.health().status === 'healthy');
    expect((await made.ask('small 30')).status).toBe(HIT);
  });

  it.each([0.1, 0.45, 1])(
    'costs few requests where a quarter of the bodies hang and %d of requests are hits',
    async (share) => {
      const made = await host();
      const images = numbered('small', 200);
      await stored(made, images);
      let body = 0;
      made.store.hangsAfter = () => (body++ % 4 === 0 ? 0 : undefined);
      let waited = 0;
      let asked = 0;
      for (let round = 0; round < 5; round++) {
        for (const [index, image] of images.entries()) {
          const isHit = (index * 7) % 100 < share * 100;
          const { status } = await made.ask(isHit ? image : `fresh ${round} ${index}`);
          if (status.includes('TIMEOUT')) waited++;
          asked++;
        }
      }
      expect(asked).toBe(1000);
      expect(waited).toBeGreaterThan(0);
      // A quarter of the hits would be 25, 112 or 250.
      expect(waited).toBeLessThanOrEqual(8);
    },
  );

  it('is left alone by a threshold of 0', async () => {
    const made = await host({ IMGPROXY_CACHE_BREAKER_THRESHOLD: '0' });
    const images = numbered('small', 6);
    await stored(made, images);
    made.store.hangsAfter = () => 0;
    for (const image of images) {
      expect((await made.ask(image)).status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT');
    }
  });
});

describe('large bodies that break off after their first chunks', () => {
  it('are rendered after the first few, while small hits go on', async () => {
    const made = await host();
    const large = numbered('large', 8);
    await stored(made, ['small 0', ...large]);
    made.store.breaksOffAfter = (size) => (size === LARGE ? 60_000 : undefined);
    for (const image of large.slice(0, 3)) {
      const { status, image: streamed } = await made.cache.fetch({ source: image }, made.render);
      expect(String(status)).toBe(HIT);
      await expect(streamed.bytes()).rejects.toMatchObject({ code: 'ERR_CACHE_TIMEOUT' });
    }
    expect((await made.ask('large 7')).status).toBe('imgproxy-cache; fwd=miss; detail=breaker-open');
    expect((await made.ask('small 0')).status).toBe(HIT);
    expect(made.cache.health()).toMatchObject({ reason: expect.stringMatching(/^stream is suspended/) });
    made.store.breaksOffAfter = () => undefined;
    await eventually(() => made.cache.health().status === 'healthy');
    // What was broken off is rendered and stored anew, instead of being tried.
    expect((await made.ask('large 0')).status).toBe('imgproxy-cache; fwd=miss; detail=unreadable');
    expect((await made.ask('large 7')).status).toBe(HIT);
  });
});

describe('where the memory for bodies is used up', () => {
  const TIGHT = { IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT: '1500' };

  it('a damaged small image is a miss', async () => {
    const made = await host(TIGHT);
    await stored(made, ['small 0', 'small 1']);
    made.store.hangsAfter = (name) => (name === holder ? 500 : undefined);
    const holder = made.store.names.find((name) => !name.includes('none')) ?? '';
    made.store.damaged = (name) => name !== holder;
    const sources = ['small 0', 'small 1'];
    const outcomes = await Promise.all(sources.map((source) => made.ask(source)));
    for (const { status, body } of outcomes) {
      expect(status).toMatch(/^imgproxy-cache; fwd=miss/);
      expect(body.length).toBe(SMALL);
    }
  });

  it('a hit waits for it within the deadline, else it is rendered, which is not held against the store', async () => {
    const made = await host({ IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT: String(LARGE) });
    await stored(made, ['small 0', 'large 0']);
    // Each holds two chunks of a tenth.
    const streams = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { image } = await made.cache.fetch({ source: 'large 0' }, made.render);
        return image.stream();
      }),
    );
    expect(made.cache.load.bytes).toBe(LARGE);
    for (let request = 0; request < 5; request++) {
      expect((await made.ask('small 0')).status).toBe('imgproxy-cache; fwd=miss; detail=bytes-in-flight');
    }
    expect(made.cache.health()).toMatchObject({ status: 'healthy' });
    const waiting = made.ask('small 0');
    for (const stream of streams) stream.destroy();
    expect((await waiting).status).toBe(HIT);
    expect(made.cache.load.bytes).toBe(0);
  });
});

/** Waits for something that takes time of the machine's clock. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}
