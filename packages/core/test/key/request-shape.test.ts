import { type CacheRequest, createImageCache, type ImageCache } from '@imgproxy-cache/core';
import memory, { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it, onTestFinished } from 'vitest';

const SOURCE = 'https://example.com/cat.jpg';
const BY_USER = { IMGPROXY_CACHE_KEY_HEADERS: 'X-User' };
const BY_PLAN = { IMGPROXY_CACHE_KEY_COOKIES: 'plan' };

async function cacheWith(env: Readonly<Record<string, string>> = {}): Promise<ImageCache> {
  const cache = await createImageCache({ env: { IMGPROXY_CACHE_USE: 'memory', ...env }, drivers: [memory] });
  onTestFinished(() => cache.close());
  return cache;
}

/** What a host in plain JavaScript passes: nothing keeps it from mistakes. */
type Given = Readonly<Record<string, unknown>>;

function picture(cache: ImageCache, given: Given, text = 'a picture'): Promise<string> {
  const request = { source: SOURCE, ...given } as CacheRequest;
  return cache
    .fetch(request, () => ({ body: Buffer.from(text), contentType: 'image/webp' }))
    .then(async ({ image }) => Buffer.from(await image.bytes()).toString());
}

/** Ann asks first, Bob afterwards: what each gets. */
async function annAndBob(
  env: Readonly<Record<string, string>>,
  ofAnn: Given,
  ofBob: Given,
): Promise<readonly unknown[]> {
  const cache = await cacheWith(env);
  const outcome = (given: Given, text: string) => picture(cache, given, text).catch((error) => error);
  return [await outcome(ofAnn, 'for Ann'), await outcome(ofBob, 'for Bob')];
}

const raw = (user: string) => ['Host', 'localhost', 'X-User', user, 'Cookie', `plan=${user}`];
const cookie = (plan: string) => ({ cookie: `theme=dark; plan=${plan}` });

describe('nobody gets the picture of another user, and the host learns of its mistake', () => {
  it.each<[string, Readonly<Record<string, string>>, Given, Given]>([
    ['no headers', BY_USER, {}, {}],
    ['headers that are undefined', BY_USER, { headers: undefined }, { headers: undefined }],
    ['cookies and no headers', BY_USER, { cookies: cookie('ann').cookie }, { cookies: cookie('bob').cookie }],
    ['rawHeaders, which are a flat list', BY_USER, { headers: raw('ann') }, { headers: raw('bob') }],
    [
      'a flat list of texts with two letters',
      { IMGPROXY_CACHE_KEY_HEADERS: 'id' },
      { headers: ['id', '01'] },
      { headers: ['id', '02'] },
    ],
    ['neither headers nor cookies', BY_PLAN, {}, {}],
    [
      'cookies as a Map',
      BY_PLAN,
      { cookies: new Map([['plan', 'ann']]) },
      { cookies: new Map([['plan', 'bob']]) },
    ],
    [
      'no cookies beside a Cookie header',
      BY_PLAN,
      { cookies: {}, headers: cookie('ann') },
      { cookies: {}, headers: cookie('bob') },
    ],
    [
      'a blank text of cookies beside a Cookie header',
      BY_PLAN,
      { cookies: '', headers: cookie('ann') },
      { cookies: '', headers: cookie('bob') },
    ],
    [
      "cookies that are another's than the Cookie header",
      BY_PLAN,
      { cookies: { plan: 'guest' }, headers: cookie('ann') },
      { cookies: { plan: 'guest' }, headers: cookie('bob') },
    ],
    [
      'headers of which a record is only the prototype',
      BY_USER,
      { headers: Object.create({ 'x-user': 'ann' }) },
      { headers: Object.create({ 'x-user': 'bob' }) },
    ],
    [
      'cookies in an object of a class',
      BY_PLAN,
      {
        cookies: new (class {
          readonly plan = 'ann';
        })(),
      },
      {
        cookies: new (class {
          readonly plan = 'bob';
        })(),
      },
    ],
  ])('%s', async (_what, env, ofAnn, ofBob) => {
    expect(await annAndBob(env, ofAnn, ofBob)).toEqual([expect.any(TypeError), expect.any(TypeError)]);
  });

  it.each<[string, Readonly<Record<string, string>>, Given, Given]>([
    ['headers', BY_USER, { headers: { 'X-User': 'ann' } }, { headers: { 'x-user': 'bob' } }],
    ['headers and none', BY_USER, { headers: { 'x-user': 'ann' } }, { headers: {} }],
    ['cookies', BY_PLAN, { cookies: { plan: 'ann' } }, { cookies: { plan: 'bob' } }],
    ['cookies and none', BY_PLAN, { cookies: { plan: 'ann' } }, { cookies: {} }],
    ['Cookie headers', BY_PLAN, { headers: cookie('ann') }, { headers: cookie('bob') }],
    [
      'one cookie that was sent twice, of which a record has one',
      BY_PLAN,
      { cookies: { plan: 'x' }, headers: { cookie: 'plan=x; plan=ann' } },
      { cookies: { plan: 'x' }, headers: { cookie: 'plan=x; plan=bob' } },
    ],
    [
      'values that are the same only where they are decoded',
      BY_PLAN,
      { cookies: { plan: 'a b' }, headers: { cookie: 'plan=a%20b' } },
      { cookies: { plan: 'a b' }, headers: { cookie: 'plan="a b"' } },
    ],
  ])('each gets a picture of their own by %s', async (_what, env, ofAnn, ofBob) => {
    expect(await annAndBob(env, ofAnn, ofBob)).toEqual(['for Ann', 'for Bob']);
  });

  it.each<[string, Readonly<Record<string, string>>, Given]>([
    ['empty headers, where a header is in the key', BY_USER, { headers: {} }],
    ['empty headers, where a cookie is in the key', BY_PLAN, { headers: {} }],
    ['empty cookies, where a cookie is in the key', BY_PLAN, { cookies: {} }],
    [
      'cookies that agree with the header',
      BY_PLAN,
      { cookies: cookie('ann').cookie, headers: cookie('ann') },
    ],
    ['cookies beside headers without any', BY_PLAN, { cookies: { plan: 'ann' }, headers: { accept: '*/*' } }],
    ['neither, where nothing of them is in the key', {}, {}],
    ['blank names in the lists', { IMGPROXY_CACHE_KEY_HEADERS: ',', IMGPROXY_CACHE_KEY_COOKIES: ' , ' }, {}],
  ])('is content with %s', async (_what, env, given) => {
    expect(await annAndBob(env, given, given)).toEqual(['for Ann', 'for Ann']);
  });
});

describe('a mistake is found whatever the cache does with the request', () => {
  const FORGOTTEN = /has no headers.*IMGPROXY_CACHE_KEY_HEADERS makes x-user part of the key.*\{\}/;

  it('when it bypasses the cache', async () => {
    const cache = await cacheWith(BY_USER);
    await expect(picture(cache, { bypass: true })).rejects.toThrow(FORGOTTEN);
  });

  it('while the cache is off', async () => {
    const cache = await cacheWith({ ...BY_USER, IMGPROXY_CACHE_USE: '' });
    await expect(picture(cache, {})).rejects.toThrow(FORGOTTEN);
    await expect(picture(cache, { headers: ['x-user', 'ann'] })).rejects.toThrow(TypeError);
  });

  it('after the cache was closed', async () => {
    const cache = await cacheWith(BY_USER);
    await cache.close();
    await expect(picture(cache, {})).rejects.toThrow(FORGOTTEN);
  });

  it('when an image is deleted, which then is not', async () => {
    const cache = await cacheWith(BY_USER);
    const headers = { 'x-user': 'ann' };
    await picture(cache, { headers }, 'for Ann');
    await expect(cache.delete({ source: SOURCE })).rejects.toThrow(FORGOTTEN);
    expect(await picture(cache, { headers }, 'another')).toBe('for Ann');
    await cache.delete({ source: SOURCE, headers });
    expect(await picture(cache, { headers }, 'another')).toBe('another');
  });

  it('and a source is purged without headers and cookies', async () => {
    const cache = await cacheWith({ ...BY_USER, ...BY_PLAN, IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    for (const user of ['ann', 'bob']) await picture(cache, { headers: { 'x-user': user } });
    expect(await cache.purgeSource(SOURCE)).toBe(2);
  });
});

const pairs = (...items: readonly unknown[]) => ({ options: items });
const SECRET = 'hunter2';

describe.each([
  ['in the key', { ...BY_USER, ...BY_PLAN }, { headers: {} }],
  ['not in the key', {}, {}],
])('headers and cookies %s: a request of the wrong shape is refused', (_which, env, rest) => {
  it.each<[part: string, Given]>([
    ['source', { source: undefined }],
    ['source', { source: null }],
    ['source', { source: new URL(SOURCE) }],
    ['source', { source: [SOURCE] }],
    ['source', { source: new ArrayBuffer(3) }],
    ['source', { source: 5 }],
    ['options', { options: null }],
    ['options', { options: { width: '300' } }],
    ['options', { options: new Map([['width', '300']]) }],
    ['options', { options: 'width:300' }],
    ['options', { options: { pipelines: 'width' } }],
    ['options', { options: { pipelines: [['width', '300']] } }],
    ['options', { options: { pipelines: [{ width: '300' }] } }],
    ['options', pairs(['resize', 'fit', '300'])],
    ['options', pairs(['width'])],
    ['options', pairs('width', '300')],
    ['options', pairs('w3')],
    ['options', pairs(['width', 300])],
    ['options', pairs([300, 'width'])],
    ['options', pairs(['expires', 1_893_456_000])],
    ['options', pairs(undefined)],
    ['format', { format: null }],
    ['format', { format: ['webp'] }],
    ['negotiated', { negotiated: 'webp' }],
    ['negotiated', { negotiated: ['image/webp'] }],
    ['negotiated', { negotiated: new Set(['webp']) }],
    ['negotiated', { negotiated: null }],
    ['headers', { headers: null }],
    ['headers', { headers: 'x-user: ann' }],
    ['headers', { headers: Buffer.from('x-user: ann') }],
    ['headers', { headers: raw('ann') }],
    ['headers', { headers: [['x-user', 'ann', SECRET]] }],
    ['headers', { headers: [['x-user']] }],
    ['headers', { headers: [['x-user', 5]] }],
    ['headers', { headers: [['x-user', ['ann']]] }],
    ['headers', { headers: [[5, 'ann']] }],
    ['headers', { headers: [{ 'x-user': 'ann' }] }],
    ['headers', { headers: new Map<string, unknown>([['x-user', 5]]) }],
    ['headers', { headers: new Map([['x-user', ['ann']]]) }],
    ['headers', { headers: new Set(['x-user']) }],
    ['headers', { headers: { 'x-user': 5 } }],
    ['headers', { headers: { 'x-user': null } }],
    ['headers', { headers: { 'x-user': ['ann', 5] } }],
    ['headers', { headers: { 'x-user': [['ann']] } }],
    ['headers', { headers: Promise.resolve({}) }],
    ['headers', { headers: () => ({}) }],
    ['headers', { headers: new Request('http://localhost', { headers: { 'x-user': 'ann' } }) }],
    ['cookies', { cookies: null }],
    ['cookies', { cookies: new Map([['plan', SECRET]]) }],
    ['cookies', { cookies: [['plan', SECRET]] }],
    ['cookies', { cookies: ['plan=gold'] }],
    ['cookies', { cookies: Buffer.from('plan=gold') }],
    ['cookies', { cookies: new URLSearchParams('plan=gold') }],
    ['bypass', { bypass: 'yes' }],
    ['accepts', { accepts: 'image/webp' }],
    ['accepts', { accepts: ['webp'] }],
    ['accepts', { accepts: ['image/*'] }],
    ['tags', { tags: 'cats' }],
    ['tags', { tags: [5] }],
    ['signal', { signal: null }],
    ['signal', { signal: new AbortController() }],
  ])('%s: %j', async (part, given) => {
    const cache = await cacheWith(env);
    const refusal = await picture(cache, { ...rest, ...given }).catch((error) => error);
    expect(refusal).toBeInstanceOf(TypeError);
    expect(refusal.message).toMatch(new RegExp(`\\b${part} of the request to the cache must be `));
    expect(refusal.message).not.toContain(SECRET);
  });

  it('what is absent may be undefined', async () => {
    const cache = await cacheWith(env);
    const absent = Object.fromEntries(
      ['options', 'format', 'negotiated', 'cookies', 'bypass', 'accepts', 'tags', 'ttl', 'signal'].map(
        (property) => [property, undefined],
      ),
    );
    expect(await picture(cache, { headers: { 'x-user': undefined }, ...absent }, 'first')).toBe('first');
    expect(await picture(cache, { headers: {}, ...absent }, 'second')).toBe('first');
    expect(await picture(cache, { headers: {} }, 'third')).toBe('first');
  });
});

it('a cookie that is no string is refused where it is in the key, and does not matter elsewhere', async () => {
  const cache = await cacheWith(BY_PLAN);
  await expect(picture(cache, { cookies: { plan: { level: SECRET } } })).rejects.toThrow(
    /^plan in cookies of the request to the cache must be a string, not an object of the kind Object$/,
  );
  expect(await picture(cache, { cookies: { plan: 'gold', basket: { items: 3 } } })).toBe('a picture');
});

it.each([undefined, null, 'https://example.com/cat.jpg', 5])(
  'a request that is %j is refused',
  async (request) => {
    const cache = await cacheWith();
    const render = () => ({ body: Buffer.from('a picture'), contentType: 'image/webp' });
    await expect(cache.fetch(request as unknown as CacheRequest, render)).rejects.toThrow(
      /the request to the cache must be an object/,
    );
    await expect(cache.delete(request as unknown as CacheRequest)).rejects.toThrow(TypeError);
  },
);

it('a source that is purged must be one', async () => {
  const cache = await cacheWith();
  await expect(cache.purgeSource(new URL(SOURCE) as unknown as string)).rejects.toThrow(
    /^source of the request to the cache must be a string.*not an object of the kind URL$/,
  );
  expect(await cache.purgeSource(SOURCE, { signal: undefined })).toBe(0);
});

it('a request without a renderer is refused before it is looked up', async () => {
  const cache = await cacheWith();
  await picture(cache, {});
  await expect(cache.fetch({ source: SOURCE }, undefined as never)).rejects.toThrow(
    /fetch needs a function that renders the image/,
  );
});

it('headers that can be walked only once make one key, however often the cache starts anew', async () => {
  const cache = await cacheWith({ ...BY_USER, IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS: '0.01' });
  const once = function* (): Generator<readonly [string, string]> {
    yield ['x-user', 'ann'];
  };
  const slow = Promise.withResolvers<void>();
  const first = cache.fetch({ source: SOURCE, headers: { 'x-user': 'ann' } }, async () => {
    await slow.promise;
    return { body: Buffer.from('slow'), contentType: 'image/webp' };
  });
  // It waits for the first, gives up, and renders for itself.
  expect(await picture(cache, { headers: once() }, 'for Ann')).toBe('for Ann');
  expect(await picture(cache, { headers: {} }, 'for nobody')).toBe('for nobody');
  expect(await picture(cache, { headers: { 'x-user': 'ann' } }, 'another')).toBe('for Ann');
  slow.resolve();
  await (await first).image.discard();
});

describe('what a header is in the key', () => {
  const lines = (...users: string[]) => ({ headers: { 'x-user': users } });

  it.each<[string, Given, Given, boolean]>([
    ['its name in another case', lines('ann'), { headers: { 'X-USER': 'ann' } }, true],
    ['its value in another case', lines('ann'), lines('Ann'), false],
    ['its lines in another order', lines('a', 'b'), lines('b', 'a'), false],
    ['one of its lines twice', lines('a'), lines('a', 'a'), false],
    ['its lines on one', lines('a', 'b'), lines('a, b'), false],
    ['blank or absent', lines(''), { headers: {} }, false],
  ])('%s', async (_what, ofAnn, ofBob, isShared) => {
    const second = isShared ? 'for Ann' : 'for Bob';
    expect(await annAndBob(BY_USER, ofAnn, ofBob)).toEqual(['for Ann', second]);
  });

  it('is the same where its name is listed twice', async () => {
    const store = new MemoryDriver();
    const open = (listed: string) =>
      createImageCache({
        env: {
          IMGPROXY_CACHE_USE: 'memory',
          IMGPROXY_CACHE_KEY_HEADERS: listed,
          IMGPROXY_CACHE_REPORT_ERRORS: 'true',
        },
        drivers: [{ ...memory, create: () => store }],
      });
    await using once = await open('x-user');
    await using twice = await open('X-User, x-user,');
    expect(await picture(once, lines('ann'), 'for Ann')).toBe('for Ann');
    expect(await picture(twice, lines('ann'), 'another')).toBe('for Ann');
  });

  it('is refused where it is malformed, and its value is not repeated', async () => {
    const cache = await cacheWith(BY_USER);
    const refusal = await picture(cache, { headers: { 'x-user': 'hunter2\ud83d' } }).catch((error) => error);
    expect(refusal).toBeInstanceOf(TypeError);
    expect(refusal.message).toMatch(/not well-formed Unicode \(a lone surrogate\)/);
    expect(refusal.message).not.toContain('hunter2');
  });
});

describe('the lists of headers and cookies', () => {
  it.each([
    ['IMGPROXY_CACHE_KEY_HEADERS', 'x-user x-tenant', '"x-user x-tenant" cannot be the name of a header'],
    ['IMGPROXY_CACHE_KEY_HEADERS', 'x-user; x-tenant', '"x-user; x-tenant" cannot be the name of a header'],
    ['IMGPROXY_CACHE_KEY_COOKIES', 'plan; theme', '"plan; theme" cannot be the name of a cookie'],
    ['IMGPROXY_CACHE_KEY_COOKIES', 'plan=gold', '"plan=gold" cannot be the name of a cookie'],
  ])('stop the start where they name what no request can have: %s=%s', async (variable, value, fault) => {
    await expect(cacheWith({ [variable]: value })).rejects.toMatchObject({
      code: 'ERR_CACHE_CONFIG',
      message: `the configuration of the cache is wrong:\n- ${variable} is wrong: ${fault}: separate names by commas`,
    });
  });
});
