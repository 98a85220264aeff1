import {
  BufferedEntry,
  CacheError,
  createEntry,
  type EntryMetadata,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  type CacheUnderTest,
  cacheUnderTest,
  REQUEST,
  renderer,
  served,
} from './cache-under-test.js';

/** A cache that holds one image, and what a store would answer that somebody tampered with. */
async function tampered(
  answer: (metadata: EntryMetadata, body: Uint8Array) => StoredEntry,
  env: Readonly<Record<string, string>> = {},
): Promise<CacheUnderTest> {
  const built = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: 'true', ...env });
  await served(built.cache.fetch(REQUEST, renderer()));
  const entry = built.memory.peek(built.memory.names[0] ?? '');
  if (entry === undefined) throw new Error('nothing was stored');
  built.hooks.get = async () => answer(entry.metadata, entry.body);
  return built;
}

function flipped(body: Uint8Array, index: number): Uint8Array {
  const copy = Uint8Array.from(body);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

const REPLACED = 'imgproxy-cache; fwd=miss; stored; detail=ERR_CACHE_CORRUPT';

describe('an entry that is not what was stored', () => {
  it.each<[string, (metadata: EntryMetadata, body: Uint8Array) => StoredEntry]>([
    ['a flipped byte', (metadata, body) => new BufferedEntry(metadata, flipped(body, 500), false)],
    ['a short body', (metadata, body) => new BufferedEntry(metadata, body.subarray(1), false)],
    ['a long body', (metadata, body) => new BufferedEntry(metadata, Buffer.concat([body, body]), false)],
    [
      "another entry's name",
      (metadata, body) => new BufferedEntry({ ...metadata, name: 'v1/other' }, body, false),
    ],
    [
      'malformed metadata',
      () => {
        throw new CacheError('ERR_CACHE_CORRUPT', 'metadata field size is missing');
      },
    ],
  ])('is a miss and replaced: %s', async (_what, answer) => {
    const { cache, driver, log } = await tampered(answer);
    const render = renderer({ body: bytesOf(1234, 5) });
    const { status, body } = await served(cache.fetch(REQUEST, render));
    expect(status).toBe(REPLACED);
    expect(Buffer.compare(body, bytesOf(1234, 5))).toBe(0);
    expect(driver.calls.put).toBe(2);
    expect(log).toEqual([]);
    expect(cache.health()).toMatchObject({ status: 'healthy' });
  });

  it.each<[string, (body: Uint8Array) => Uint8Array]>([
    ['a byte flipped in its last chunk', (body) => flipped(body, body.length - 1)],
    ['a byte flipped in its first chunk', (body) => flipped(body, 0)],
    ['a short body', (body) => body.subarray(0, -1)],
    ['a long body', (body) => Buffer.concat([body, Buffer.from('x')])],
  ])('never ends cleanly when it is streamed, and is gone afterwards: %s', async (_what, tamper) => {
    const { cache, driver, memory } = await tampered(
      (metadata, body) =>
        new StreamedEntry(metadata, {
          bytes: () => Promise.reject(new Error('too large to be read whole')),
          async *chunks() {
            const bytes = tamper(body);
            for (let offset = 0; offset < bytes.length; offset += 300)
              yield bytes.subarray(offset, offset + 300);
          },
          close: async () => undefined,
        }),
      { IMGPROXY_CACHE_VERIFY_BYTES: '100' },
    );
    const { status, image } = await cache.fetch(REQUEST, renderer());
    expect(String(status)).toBe('imgproxy-cache; hit');
    let received = 0;
    await expect(async () => {
      for await (const chunk of image.stream()) received += chunk.length;
    }).rejects.toMatchObject({ code: 'ERR_CACHE_CORRUPT' });
    expect(received).toBeLessThan(1000);
    expect(driver.calls.delete).toBe(1);
    expect(memory.size).toBe(0);
  });

  it('of a newer format is a plain miss and is not overwritten', async () => {
    const { cache, driver } = await tampered(() => {
      throw new CacheError('ERR_CACHE_UNSUPPORTED', 'entry has format version 2');
    });
    const { status } = await served(cache.fetch(REQUEST, renderer()));
    expect(status).toBe('imgproxy-cache; fwd=miss; detail=newer-format');
    expect(driver.calls.put).toBe(1);
  });

  it('that breaks off in the transfer is a failed look-up and not corrupt', async () => {
    const { cache, driver } = await tampered(
      (metadata) =>
        new StreamedEntry(metadata, {
          bytes: () => Promise.reject(new CacheError('ERR_CACHE_UNAVAILABLE', 'connection reset')),
          chunks: () => [] as never,
          close: async () => undefined,
        }),
      { IMGPROXY_CACHE_REPORT_ERRORS: 'false' },
    ).catch(async () => {
      throw new Error('set-up failed');
    });
    const { status } = await served(cache.fetch(REQUEST, renderer()));
    expect(status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_UNAVAILABLE');
    expect(driver.calls.put).toBe(1);
  });
});

describe('an entry that was put by hand', () => {
  it('is served when it is right', async () => {
    const { cache, memory, hooks } = await tampered(
      (metadata, body) => new BufferedEntry(metadata, body, false),
    );
    delete hooks.get;
    const [name = ''] = memory.names;
    await memory.put(name, createEntry({ name, contentType: 'image/png', created: 5 }, bytesOf(10, 3)));
    const { status, image } = await cache.fetch(REQUEST, renderer());
    expect(String(status)).toBe('imgproxy-cache; hit');
    expect(image).toMatchObject({ contentType: 'image/png', created: 5, size: 10 });
  });
});
