import { readFileSync } from 'node:fs';
import { createImageCache, type Rendering } from '@imgproxy-cache/core';
import { type AnswerSettings, answer, createFetchHandler, createNodeHandler } from '@imgproxy-cache/http';
import { describe, expect, test } from 'vitest';
import { bytesOf, Host } from './host.js';

async function fieldsOf(
  settings: AnswerSettings,
  rendering: Partial<Rendering> = {},
  how: { readonly ttl?: number; readonly hit?: boolean } = {},
): Promise<Readonly<Record<string, string>>> {
  const cache = await createImageCache({
    env: { IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_REPORT_ERRORS: 'true' },
    resolveFrom: import.meta.url,
  });
  const fetch = () =>
    cache.fetch({ source: 'x', ttl: how.ttl }, () => ({
      body: bytesOf('/100'),
      contentType: 'image/jpeg',
      ...rendering,
    }));
  if (how.hit === true) await (await fetch()).image.discard();
  const { headers } = await answer('GET', {}, await fetch(), settings);
  await cache.close();
  return headers;
}

describe('Cache-Control', () => {
  test.each([
    [{}, 'max-age=3600, public'],
    [{ maxAge: 60 }, 'max-age=60, public'],
    [{ maxAge: 0, staleWhileRevalidate: 5 }, 'no-cache'],
    [{ maxAge: 60, staleWhileRevalidate: 5 }, 'max-age=60, stale-while-revalidate=5, public'],
    [{ maxAge: 60, cacheControl: 'public, immutable' }, 'public, immutable'],
  ])('%j', async (settings, expected) => {
    expect((await fieldsOf(settings))['Cache-Control']).toBe(expected);
  });

  test('of the source is private where the image depends on a cookie', async () => {
    const source = {
      body: bytesOf('/100'),
      contentType: 'image/png',
      cacheControl: 'public, max-age=60, s-maxage=9',
    };
    await using host = await Host.start({
      env: { IMGPROXY_CACHE_KEY_COOKIES: 'sid' },
      settings: { cacheControlPassthrough: true },
      render: () => source,
    });
    expect((await host.ask('/100', { cookie: 'sid=a' })).headers).toMatchObject({
      'cache-control': 'max-age=60, private',
      vary: 'Cookie',
    });
  });

  test('is private beside a cookie that a middleware has set', async () => {
    await using host = await Host.start({
      before: (response) => response.setHeader('Set-Cookie', 'a=1').setHeader('Content-Encoding', 'gzip'),
    });
    const { headers } = await host.ask('/100');
    expect(headers['cache-control']).toBe('max-age=3600, private');
    expect(headers).not.toHaveProperty('content-encoding');
  });

  test.each([true, false])('never ends after the entry (hit: %s)', async (hit) => {
    const { 'Cache-Control': field = '' } = await fieldsOf({ maxAge: 60 }, {}, { ttl: 20, hit });
    const seconds = Number(/max-age=(\d+)/.exec(field)?.[1]);
    expect(seconds).toBeGreaterThan(10);
    expect(seconds).toBeLessThanOrEqual(20);
  });

  test('the source says it where it may, with the age of a hit', async () => {
    const settings = { cacheControlPassthrough: true, maxAge: 60 };
    const cacheControl = 'max-age=30';
    const miss = await fieldsOf(settings, { cacheControl });
    const hit = await fieldsOf(settings, { cacheControl }, { hit: true });
    expect([miss['Cache-Control'], miss['Age']]).toEqual([cacheControl, undefined]);
    expect([hit['Cache-Control'], hit['Age']]).toEqual([cacheControl, expect.stringMatching(/^\d+$/)]);
    expect((await fieldsOf(settings))['Cache-Control']).toBe('max-age=60, public');
  });

  test.each([{ cacheControl: 'public' }, { cacheControlPassthrough: true }, {}])(
    'a rendering for one request is never kept (%j)',
    async (settings) => {
      const headers = await fieldsOf(settings, { store: false, cacheControl: 'public' });
      expect(headers['Cache-Control']).toBe('no-store');
    },
  );

  test('what depends on cookies is private, and each client gets its own', async () => {
    await using host = await Host.start({
      env: { IMGPROXY_CACHE_KEY_COOKIES: 'user', IMGPROXY_CACHE_KEY_HEADERS: 'X-Tenant' },
    });
    const first = await host.ask('/100', { cookie: 'user=a' });
    const second = await host.ask('/100', { cookie: 'user=b' });
    const third = await host.ask('/100', { cookie: 'user=b', 'x-tenant': 'c' });
    const again = await host.ask('/100', { cookie: 'user=a' });
    expect(first.headers['cache-control']).toBe('max-age=3600, private');
    expect(first.headers['vary']).toBe('X-Tenant, Cookie');
    expect(host.renders).toBe(3);
    expect(again.headers['cache-status']).toBe('imgproxy-cache; hit');
    const tags = [first, second, third, again].map(({ headers }) => headers['etag']);
    expect(new Set(tags).size).toBe(3);
    expect(tags[3]).toBe(tags[0]);
  });

  test('a request that says which types it accepts depends on Accept', async () => {
    await using host = await Host.start({ image: { negotiated: [] } });
    const { headers } = await host.ask('/100');
    expect(headers).toMatchObject({ vary: 'Accept', 'cache-control': 'max-age=3600, public' });
  });
});

describe('more fields', () => {
  test('replace fields, and add to lists', async () => {
    const headers = await fieldsOf(
      {
        headers: {
          'content-security-policy': 'sandbox',
          'cache-status': 'upstream; hit',
          vary: 'Origin',
          'X-Robots-Tag': 'noindex',
        },
        cacheName: 'edge.example.com',
      },
      { contentType: 'image/svg+xml' },
    );
    expect(headers).toMatchObject({
      'Content-Security-Policy': 'sandbox',
      'Cache-Status': 'upstream; hit, edge.example.com; fwd=miss; stored',
      Vary: 'Origin',
      'X-Robots-Tag': 'noindex',
    });
    expect(headers).not.toHaveProperty('content-security-policy');
  });

  test('of the response before stay, lists among them', async () => {
    await using host = await Host.start({
      image: { negotiated: [] },
      before: (response) => response.setHeader('Vary', 'Origin').setHeader('X-Powered-By', 'tests'),
    });
    const { headers } = await host.ask('/100');
    expect(headers).toMatchObject({ vary: 'Origin, Accept', 'x-powered-by': 'tests' });
  });

  test('an SVG runs no script, and no type is guessed', async () => {
    const svg = await fieldsOf({}, { contentType: 'image/svg+xml' });
    expect(svg['Content-Security-Policy']).toMatch(/default-src 'none'.*sandbox/);
    expect(svg['X-Content-Type-Options']).toBe('nosniff');
    expect(await fieldsOf({}, { contentType: 'text/html' })).toHaveProperty('Content-Security-Policy');
    expect(await fieldsOf({})).not.toHaveProperty('Content-Security-Policy');
  });

  test('Server-Timing has the parts of a request', async () => {
    await using host = await Host.start({ settings: { serverTiming: true } });
    const miss = await host.ask('/100');
    const hit = await host.ask('/100');
    expect(miss.headers['server-timing']).toMatch(/^lookup;dur=[\d.]+, render;dur=[\d.]+, store;dur=[\d.]+$/);
    expect(hit.headers['server-timing']).toMatch(/^lookup;dur=[\d.]+$/);
    await using silent = await Host.start();
    expect((await silent.ask('/100')).headers).not.toHaveProperty('server-timing');
  });
});

describe('Content-Disposition', () => {
  test.each([
    ['test', undefined, 'image/jpeg', 'inline; filename="test.jpg"'],
    ['', undefined, 'image/png', 'inline; filename="image.png"'],
    ['test', true, 'image/jpeg', 'attachment; filename="test.jpg"'],
    ['my"file', false, 'image/png', 'inline; filename="my%22file.png"'],
    ['a', false, 'image/svg+xml', 'inline; filename="a.svg"'],
    [
      'Käse ’24',
      false,
      'image/webp',
      `inline; filename="K_se _24.webp"; filename*=UTF-8''K%C3%A4se%20%E2%80%9924.webp`,
    ],
    [
      'a\r\nX: y/../b\\\ud800',
      false,
      'image/png',
      expect.stringMatching(/^inline; filename="[ -~]+"; filename\*=/),
    ],
  ])('%s', async (filename, attachment, contentType, expected) => {
    const headers = await fieldsOf({ contentDisposition: { filename, attachment } }, { contentType });
    expect(headers['Content-Disposition']).toEqual(expected);
  });
});

describe('wrong settings', () => {
  test.each([
    [{ maxAge: -1 }, 'maxAge is -1, allowed is a whole number of seconds'],
    [{ maxAge: 1.5 }, 'maxAge is 1.5'],
    [{ staleWhileRevalidate: Number.NaN }, 'staleWhileRevalidate is NaN'],
    [{ cacheControl: 'a\nsecret' }, 'cacheControl has "Cache-Control" with a name or value'],
    [{ headers: { 'a b': 'c' } }, 'headers has "a b"'],
    [{ headers: { ETag: '"x"' } }, 'headers must not set ETag: it follows from the image'],
    [{ headers: { 'Cache-Control': 'public' } }, 'headers must not set Cache-Control: use cacheControl'],
    [{ cacheName: 'a; b' }, 'cacheName is "a; b", allowed is a token'],
    [{ contentDisposition: {} }, 'contentDisposition.filename must be a string'],
    [null, 'settings must be an object'],
    [{ maxage: 1 }, 'maxage is not a setting; there are maxAge'],
    [{ cacheControl: null }, 'cacheControl must be a string'],
    [{ cacheControl: '' }, 'cacheControl must be a string that is not blank'],
    [{ contentDisposition: null }, 'contentDisposition must be an object'],
    [{ headers: new Headers() }, 'headers must be a plain object'],
    [{ headers: { 'Set-Cookie': 'secret' } }, 'headers must not set Set-Cookie'],
    [{ onError: 'log' }, 'onError must be a function'],
  ])('%j is a TypeError', async (settings, message) => {
    const cache = await createImageCache({ env: {} });
    for (const create of [createNodeHandler, createFetchHandler]) {
      const make = () => create(cache, settings as AnswerSettings);
      expect(make).toThrow(TypeError);
      expect(make).toThrow(message);
      expect(make).not.toThrow('secret');
    }
    await cache.close();
  });

  test('of one request are answered with 500', async () => {
    await using host = await Host.start();
    const handle = createFetchHandler(host.cache, { onError: () => undefined });
    const response = await handle(
      new Request('http://host/'),
      { source: 'x' },
      () => ({ body: bytesOf('/1'), contentType: 'image/png' }),
      { maxAge: -1 },
    );
    expect(response.status).toBe(500);
  });
});

test('the README names every setting', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const name of [
    ...['maxAge', 'staleWhileRevalidate', 'cacheControl', 'cacheControlPassthrough', 'contentDisposition'],
    ...['headers', 'cacheName', 'serverTiming', 'onError'],
  ])
    expect(readme).toContain(`\`${name}\``);
});
