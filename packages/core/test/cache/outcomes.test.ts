import { Readable } from 'node:stream';
import { createEntry } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { bytesOf, cacheUnderTest, REQUEST, renderer, served, until } from './cache-under-test.js';

describe('what a request gets', () => {
  it('renders a miss, stores it behind the back of the request, and hits afterwards', async () => {
    const { cache, memory } = await cacheUnderTest();
    const render = renderer({
      etag: '"source"',
      lastModified: 'Tue, 01 Sep 2026 10:00:00 GMT',
      cacheControl: 'public, max-age=60',
      dimensions: { originWidth: 10, originHeight: 20, resultWidth: 1, resultHeight: 2 },
    });
    const miss = await served(cache.fetch({ ...REQUEST, tags: ['cats'] }, render));
    await until(() => memory.size === 1);
    const { status, image } = await cache.fetch(REQUEST, render);

    expect(miss.status).toBe('imgproxy-cache; fwd=miss; detail=queued');
    expect(String(status)).toBe('imgproxy-cache; hit');
    expect(image).toMatchObject({
      contentType: 'image/webp',
      etag: '"source"',
      lastModified: 'Tue, 01 Sep 2026 10:00:00 GMT',
      cacheControl: 'public, max-age=60',
      dimensions: { originWidth: 10, originHeight: 20, resultWidth: 1, resultHeight: 2 },
      size: 1000,
    });
    expect(Buffer.compare(await image.bytes(), miss.body)).toBe(0);
    expect(render.calls).toBe(1);
    expect(memory.peek(memory.names[0] ?? '')?.metadata.tags).toEqual(['cats']);
  });

  it('says what an HTTP answer needs of the entry: name, checksum, end and ttl', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    const miss = await cache.fetch({ ...REQUEST, ttl: 60 }, renderer());
    const hit = await cache.fetch(REQUEST, renderer());
    const [name = ''] = memory.names;
    const { crc32, created, expires } = memory.peek(name)?.metadata ?? {};

    expect(miss).toMatchObject({ name, ttl: 60, verifyBytes: 1_048_576, image: { store: true } });
    expect([miss.image.crc32, miss.image.expires]).toEqual([undefined, undefined]);
    expect(hit).toMatchObject({ name, ttl: 0, image: { crc32, created, expires, store: true } });
    expect(expires).toBe((created ?? 0) + 60_000);
  });

  it.each([{}, { bypass: true }])('marks a rendering for one request alone (%j)', async (how) => {
    const { cache } = await cacheUnderTest();
    const { image } = await cache.fetch({ ...REQUEST, ...how }, renderer({ store: false }));
    expect(image.store).toBe(false);
  });

  it('stores before it serves where errors are reported', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    const { status } = await served(cache.fetch(REQUEST, renderer()));
    expect(status).toBe('imgproxy-cache; fwd=miss; stored');
    expect(memory.size).toBe(1);
  });

  it('renders every request where the cache is off', async () => {
    const { cache, driver } = await cacheUnderTest({ IMGPROXY_CACHE_USE: ' ' });
    const render = renderer();
    const results = await Promise.all([1, 2, 3].map(() => served(cache.fetch(REQUEST, render))));
    expect(results.map(({ status }) => status)).toEqual(
      Array(3).fill('imgproxy-cache; fwd=bypass; detail=off'),
    );
    expect(render.calls).toBe(3);
    expect(driver.calls.get + driver.calls.put).toBe(0);
    expect(cache.health()).toEqual({ status: 'off' });
  });

  it('neither looks up nor stores a bypassed request', async () => {
    const { cache, driver } = await cacheUnderTest();
    const { status } = await served(cache.fetch({ ...REQUEST, bypass: true }, renderer()));
    expect(status).toBe('imgproxy-cache; fwd=bypass');
    expect(driver.calls.get + driver.calls.put).toBe(0);
  });

  it.each([
    ['the renderer says so', { store: false }, 'not-storable'],
    ['it is no image', { contentType: 'text/html' }, 'not-storable'],
    ['it is empty', { body: new Uint8Array() }, 'not-storable'],
    ['it is too large', { body: bytesOf(2001) }, 'too-large'],
  ])('serves and does not store a rendering when %s', async (_reason, rendering, detail) => {
    const { cache, driver } = await cacheUnderTest({ IMGPROXY_CACHE_MAX_ENTRY_SIZE: '2000' });
    const { status } = await served(cache.fetch(REQUEST, renderer(rendering)));
    expect(status).toBe(`imgproxy-cache; fwd=miss; detail=${detail}`);
    await cache.close();
    expect(driver.calls.put).toBe(0);
  });

  it('does not store what the driver cannot take', async () => {
    const { cache, driver } = await cacheUnderTest({}, {}, 500);
    const { status } = await served(cache.fetch(REQUEST, renderer()));
    expect(status).toBe('imgproxy-cache; fwd=miss; detail=too-large');
    expect(driver.calls.put).toBe(0);
  });

  it('does not store an image whose tags do not fit, rather than losing a tag', async () => {
    const { cache, driver } = await cacheUnderTest();
    const request = { ...REQUEST, tags: Array.from({ length: 100 }, (_, index) => `tag-${index}`) };
    expect((await served(cache.fetch(request, renderer()))).status).toBe(
      'imgproxy-cache; fwd=miss; detail=metadata',
    );
    expect(driver.calls.put).toBe(0);
  });

  it('leaves out a validator of the source that no store could keep, and stores the image', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    await served(cache.fetch(REQUEST, renderer({ etag: `"${'x'.repeat(300)}"`, cacheControl: 'é' })));
    expect(memory.peek(memory.names[0] ?? '')?.metadata).not.toHaveProperty('etag');
    expect(memory.peek(memory.names[0] ?? '')?.metadata).not.toHaveProperty('cacheControl');
  });

  it("takes null for a header of the source that is absent, as the Fetch API's headers give it", async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    await served(cache.fetch(REQUEST, renderer({ etag: null, lastModified: null, cacheControl: null })));
    expect(Object.keys(memory.peek(memory.names[0] ?? '')?.metadata ?? {})).not.toContain('etag');
  });

  it('takes a media type without its parameters and in lower case', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    await served(cache.fetch(REQUEST, renderer({ contentType: 'Image/SVG+XML; charset=utf-8' })));
    expect(memory.peek(memory.names[0] ?? '')?.metadata.contentType).toBe('image/svg+xml');
  });

  it('treats an entry past its lifetime as a miss and replaces it', async () => {
    const { cache, memory, clock } = await cacheUnderTest({ IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    await served(cache.fetch(REQUEST, renderer()));
    const [name = ''] = memory.names;
    await memory.put(
      name,
      createEntry({ name, contentType: 'image/webp', created: 0, expires: clock.now() }, bytesOf(10, 9)),
    );
    const again = await served(cache.fetch(REQUEST, renderer()));
    expect(again.status).toBe('imgproxy-cache; fwd=miss; stored; detail=expired');
    expect(memory.peek(name)?.body.length).toBe(1000);
  });

  it('says clearly that a rendering has no body', async () => {
    const { cache } = await cacheUnderTest();
    await expect(cache.fetch(REQUEST, renderer({ body: 'text' as unknown as Uint8Array }))).rejects.toThrow(
      /render gave no body/,
    );
  });

  it.each([undefined, null, 5])('says clearly that a rendering has no type: %j', async (contentType) => {
    const message = /^render gave no contentType: it must be the image's media type, such as image\/webp$/;
    const rendering = { contentType: contentType as unknown as string };
    for (const env of [{}, { IMGPROXY_CACHE_USE: '' }]) {
      const { cache } = await cacheUnderTest(env);
      await expect(cache.fetch(REQUEST, renderer(rendering))).rejects.toThrow(message);
      const body = Readable.from([bytesOf(10)]);
      await expect(cache.fetch(REQUEST, renderer({ ...rendering, body }))).rejects.toThrow(message);
      expect(body.destroyed).toBe(true);
      expect(cache.load).toEqual({ flights: 0, stores: 0, bytes: 0 });
    }
  });

  it('encodes the metadata of an image that it stores once', async () => {
    const { cache, memory } = await cacheUnderTest();
    let reads = 0;
    const dimensions = {
      get originWidth() {
        reads++;
        return 10;
      },
    };
    await served(cache.fetch(REQUEST, renderer({ dimensions })));
    await until(() => memory.size === 1);
    expect(memory.peek(memory.names[0] ?? '')?.metadata.dimensions).toEqual({ originWidth: 10 });
    expect(reads).toBe(1);
  });

  it('lets an image be consumed once, as bytes or as a stream', async () => {
    const { cache } = await cacheUnderTest();
    const { image } = await cache.fetch(REQUEST, renderer());
    expect(Buffer.concat(await image.stream().toArray())).toEqual(Buffer.from(bytesOf(1000)));
    await expect(image.bytes()).rejects.toThrow(/already consumed/);
    await image.discard();
  });

  it('serves bodies that are larger than what is verified at once, as a stream and whole', async () => {
    const { cache, memory } = await cacheUnderTest({ IMGPROXY_CACHE_VERIFY_BYTES: '1000' });
    const body = bytesOf(300_000);
    await served(cache.fetch(REQUEST, renderer({ body })));
    await until(() => memory.size === 1);
    const { status, image } = await cache.fetch(REQUEST, renderer());
    expect(String(status)).toBe('imgproxy-cache; hit');
    expect(image.size).toBe(300_000);
    expect(Buffer.compare(await image.bytes(), body)).toBe(0);
  });
});
