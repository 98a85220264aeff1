import type { CacheRequest } from '@imgproxy-cache/core';
import { createEntry } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { type CacheUnderTest, cacheUnderTest, tiersUnderTest, until } from './cache-under-test.js';

const SOURCE = 'https://example.com/cat.jpg';
const JPEG = 'image/jpeg';
const WEBP = 'image/webp';

/** A host that renders by its client's Accept header and forgets to say so: all clients have one key. */
async function get({ cache }: Pick<CacheUnderTest, 'cache'>, accepts: readonly string[], gives = accepts[0]) {
  const request: CacheRequest = { source: SOURCE, accepts };
  const { status, image, vary } = await cache.fetch(request, async () => ({
    body: Buffer.from(`a ${gives}`),
    contentType: gives as string,
  }));
  expect(Buffer.from(await image.bytes()).toString()).toBe(`a ${image.contentType}`);
  expect(vary).toEqual(['Accept']);
  return [image.contentType, String(status)];
}

describe('an image of a type that the request does not accept', () => {
  const STORED_FIRST = { IMGPROXY_CACHE_REPORT_ERRORS: 'true' };

  it('is no hit: it is rendered anew and replaced, which is said once', async () => {
    const made = await cacheUnderTest(STORED_FIRST);
    const miss = 'imgproxy-cache; fwd=miss; stored';
    const hit = 'imgproxy-cache; hit';
    expect(await get(made, [WEBP, JPEG])).toEqual([WEBP, miss]);
    expect(await get(made, [JPEG])).toEqual([JPEG, `${miss}; detail=not-accepted`]);
    expect(await get(made, [JPEG])).toEqual([JPEG, hit]);
    expect(await get(made, [WEBP, JPEG])).toEqual([JPEG, hit]);
    expect(await get(made, ['image/avif'])).toEqual(['image/avif', `${miss}; detail=not-accepted`]);
    const warnings = made.log.filter(({ message }) => message.includes('does not accept'));
    expect(warnings).toEqual([
      { level: 'warn', fields: { contentType: WEBP }, message: expect.stringContaining('"negotiated"') },
    ]);
  });

  it('is no hit while it waits to be stored', async () => {
    const stored = Promise.withResolvers<void>();
    const made = await cacheUnderTest({}, { put: () => stored.promise });
    expect(await get(made, [WEBP])).toEqual([WEBP, 'imgproxy-cache; fwd=miss; detail=queued']);
    expect(await get(made, [JPEG])).toEqual([JPEG, 'imgproxy-cache; fwd=miss; detail=not-accepted']);
    stored.resolve();
    await until(() => made.memory.size === 1 && made.cache.load.stores === 0);
    expect(await get(made, [JPEG])).toEqual([JPEG, 'imgproxy-cache; hit']);
  });

  it("is not taken over from another client's rendering", async () => {
    const made = await cacheUnderTest();
    const rendered = Promise.withResolvers<void>();
    const first = made.cache.fetch({ source: SOURCE, accepts: [WEBP] }, async () => {
      await rendered.promise;
      return { body: Buffer.from('a image/webp'), contentType: WEBP };
    });
    const second = get(made, [JPEG]);
    const third = get(made, [WEBP]);
    rendered.resolve();
    expect((await first).image.contentType).toBe(WEBP);
    expect(await second).toEqual([JPEG, 'imgproxy-cache; fwd=miss; detail=not-accepted']);
    expect((await third)[0]).toBe(WEBP);
  });

  it('is no hit in any of several tiers', async () => {
    const made = await tiersUnderTest(STORED_FIRST);
    await get(made, [WEBP]);
    expect((await get(made, [JPEG]))[0]).toBe(JPEG);
    await made.near.memory.delete(made.near.memory.names);
    expect((await get(made, [JPEG]))[0]).toBe(JPEG);
    expect(made.far.memory.peek(made.far.memory.names[0] ?? '')?.metadata.contentType).toBe(JPEG);
  });

  it('gives back the file or socket of a hit that is streamed', async () => {
    const made = await cacheUnderTest({ ...STORED_FIRST, IMGPROXY_CACHE_VERIFY_BYTES: '0' });
    await get(made, [WEBP]);
    let closed = 0;
    const [name = ''] = made.memory.names;
    const { metadata } = createEntry({ name, contentType: WEBP, created: 0 }, Buffer.from('a image/webp'));
    made.hooks.get = async () => ({
      metadata,
      async *stream() {
        yield Buffer.from('a ');
        yield Buffer.from('image/');
        yield Buffer.from('webp');
      },
      bytes: () => Promise.reject(new Error('it is not read')),
      discard: async () => void closed++,
      [Symbol.asyncDispose]: async () => void closed++,
    });
    expect((await get(made, [JPEG]))[0]).toBe(JPEG);
    expect(closed).toBe(1);
  });

  it('is served and not stored where the renderer gives it all the same', async () => {
    const made = await cacheUnderTest(STORED_FIRST);
    const refused = 'imgproxy-cache; fwd=miss; detail=not-accepted';
    expect(await get(made, [JPEG], WEBP)).toEqual([WEBP, refused]);
    expect(made.memory.size).toBe(0);
    expect(await get(made, [JPEG, WEBP], WEBP)).toEqual([WEBP, 'imgproxy-cache; fwd=miss; stored']);
    expect(await get(made, [JPEG], WEBP)).toEqual([WEBP, refused]);
  });

  it('matters to no request that does not say what it accepts, nor to one without the cache', async () => {
    const made = await cacheUnderTest(STORED_FIRST);
    await get(made, [WEBP]);
    const render = () => ({ body: Buffer.from('a image/webp'), contentType: WEBP });
    const hit = await made.cache.fetch({ source: SOURCE }, render);
    expect([hit.image.contentType, String(hit.status)]).toEqual([WEBP, 'imgproxy-cache; hit']);
    const bypass = await made.cache.fetch({ source: SOURCE, accepts: [JPEG], bypass: true }, render);
    expect([bypass.image.contentType, String(bypass.status)]).toEqual([WEBP, 'imgproxy-cache; fwd=bypass']);
  });
});

describe('what an answer varies on', () => {
  it.each<[string, Readonly<Record<string, string>>, Partial<CacheRequest>, readonly string[]]>([
    ['nothing', {}, { headers: { accept: WEBP, cookie: 'a=1' } }, []],
    ['Accept, where formats were negotiated', {}, { negotiated: ['webp'] }, ['Accept']],
    ['Accept, where none was', {}, { negotiated: [] }, ['Accept']],
    ['Accept, where the request says what it accepts', {}, { accepts: [WEBP] }, ['Accept']],
    [
      'the headers of the key, as the operator writes them',
      { IMGPROXY_CACHE_KEY_HEADERS: 'X-Tenant, x-shop,, x-tenant' },
      { headers: {} },
      ['X-Tenant', 'x-shop'],
    ],
    ['the header of cookies', { IMGPROXY_CACHE_KEY_COOKIES: 'a, b' }, { cookies: '' }, ['Cookie']],
    [
      'all of them',
      { IMGPROXY_CACHE_KEY_HEADERS: 'X-Tenant', IMGPROXY_CACHE_KEY_COOKIES: 'a' },
      { headers: {}, negotiated: [], accepts: [WEBP] },
      ['Accept', 'X-Tenant', 'Cookie'],
    ],
    [
      'each once, whatever its case',
      { IMGPROXY_CACHE_KEY_HEADERS: 'accept,cookie', IMGPROXY_CACHE_KEY_COOKIES: 'a' },
      { headers: {}, accepts: [WEBP] },
      ['accept', 'cookie'],
    ],
  ])('%s', async (_what, env, request, names) => {
    for (const use of ['hooked', '']) {
      const { cache } = await cacheUnderTest({ ...env, IMGPROXY_CACHE_USE: use });
      const render = () => ({ body: Buffer.from('a picture'), contentType: WEBP });
      const miss = await cache.fetch({ source: SOURCE, ...request }, render);
      const hit = await cache.fetch({ source: SOURCE, ...request }, render);
      expect([miss.vary, hit.vary]).toEqual([names, names]);
    }
  });
});
