import { describe, expect, test } from 'vitest';
import { ImageServer, type RequestHeaders } from './image-server.js';
import { PICTURE_FOLDER, PICTURES, picturePath } from './pictures.js';

const PATH = `/x${picturePath(PICTURES[0] as string, 64, 'webp')}`;
const WITHOUT_FORMAT = PATH.replace('@webp', '');

const TENANTS: readonly RequestHeaders[] = [
  {},
  { 'x-tenant': '' },
  { 'x-tenant': 'a' },
  { 'x-tenant': 'A' },
  { 'x-tenant': 'b' },
  { 'x-tenant': 'a b' },
  { 'x-tenant': 'a,b' },
  { 'x-tenant': ['a', 'b'] },
  { 'x-tenant': ['b', 'a'] },
  { 'x-tenant': ['a', 'a'] },
  { 'x-tenant': ['a', ''] },
  { 'x-tenant': '"a"' },
  { 'x-tenant': '%61' },
  { 'x-tenant': '\u00e4' },
  { 'x-tenant': '../../a' },
  { 'x-tenant': 'a'.repeat(4000) },
];

const THEMES: readonly RequestHeaders[] = [
  {},
  { cookie: 'theme=' },
  { cookie: 'theme=dark' },
  { cookie: 'theme=Dark' },
  { cookie: 'theme="dark"' },
  { cookie: 'theme=dark=er' },
  { cookie: 'theme=%64ark' },
  { cookie: 'theme=light' },
  { cookie: 'theme=dark; theme=light' },
  { cookie: 'theme=light; theme=dark' },
  { cookie: `theme=${'d'.repeat(3000)}` },
];

describe.each([
  { variable: 'IMGPROXY_CACHE_KEY_HEADERS', value: 'x-tenant', variants: TENANTS },
  { variable: 'IMGPROXY_CACHE_KEY_COOKIES', value: 'theme', variants: THEMES },
])('$variable=$value', ({ variable, value, variants }) => {
  test('every value has an image of its own, and finds it again', async () => {
    await using server = await start({ [variable]: value });
    for (const headers of variants)
      expect([headers, await firstAndStored(server, headers)]).toEqual([headers, MISS_THEN_HIT]);
    for (const headers of variants)
      expect([headers, (await server.get(PATH, headers)).cacheStatus]).toEqual([
        headers,
        'imgproxy-cache; hit',
      ]);
  });

  test('without it all share one image', async () => {
    await using server = await start({});
    await server.getStored(PATH);
    for (const headers of variants)
      expect([headers, (await server.get(PATH, headers)).cacheStatus]).toEqual([
        headers,
        'imgproxy-cache; hit',
      ]);
  });
});

test.each<[variable: string, value: string, first: RequestHeaders, same: readonly RequestHeaders[]]>([
  [
    'IMGPROXY_CACHE_KEY_HEADERS',
    'X-Tenant, x-tenant',
    { 'x-tenant': 'a' },
    [{ 'X-TENANT': 'a' }, { 'x-tenant': 'a', 'x-other': 'b' }, { 'x-tenant': 'a', cookie: 'theme=dark' }],
  ],
  [
    'IMGPROXY_CACHE_KEY_COOKIES',
    'theme',
    { cookie: 'theme=dark' },
    [
      { Cookie: 'theme=dark' },
      { cookie: 'id=1; theme=dark' },
      { cookie: 'theme=dark; Theme=light' },
      { cookie: '  theme = dark ; ; =x' },
      { cookie: 'theme=dark', 'x-tenant': 'a' },
    ],
  ],
])('%s=%s: what it does not name does not count', async (variable, value, first, same) => {
  await using server = await start({ [variable]: value });
  await server.getStored(PATH, first);
  for (const headers of same)
    expect([headers, (await server.get(PATH, headers)).cacheStatus]).toEqual([
      headers,
      'imgproxy-cache; hit',
    ]);
});

describe('what other caches on the way are told', () => {
  test.each<[what: string, env: NodeJS.ProcessEnv, path: string, vary: string | undefined, scope: string]>([
    ['nothing, where all clients get the same', {}, PATH, undefined, 'public'],
    ['a header of the key', { IMGPROXY_CACHE_KEY_HEADERS: 'X-Tenant' }, PATH, 'X-Tenant', 'private'],
    ['the cookies of the key', { IMGPROXY_CACHE_KEY_COOKIES: 'theme' }, PATH, 'Cookie', 'private'],
    [
      'both, with the cache off too',
      { IMGPROXY_CACHE_USE: '', IMGPROXY_CACHE_KEY_HEADERS: 'x-a,x-b', IMGPROXY_CACHE_KEY_COOKIES: 'theme' },
      PATH,
      'x-a, x-b, Cookie',
      'private',
    ],
    ['what is negotiated', { IMGPROXY_AUTO_WEBP: 'true' }, WITHOUT_FORMAT, 'Accept', 'public'],
    [
      'nothing of Accept, where a format is asked for',
      { IMGPROXY_AUTO_WEBP: 'true' },
      PATH,
      undefined,
      'public',
    ],
    ['what is enforced, too', { IMGPROXY_ENFORCE_WEBP: 'true' }, PATH, 'Accept', 'public'],
  ])('%s', async (_what, env, path, vary, scope) => {
    await using server = await start(env);
    for (const { status, headers } of [await server.get(path), await server.get(path)])
      expect([status, headers.vary, headers['cache-control']]).toEqual([
        200,
        vary,
        `max-age=31536000, ${scope}`,
      ]);
  });
});

test('what a URL does not say about the image does not count', async () => {
  await using server = await start({});
  const path = (options: string) =>
    `/x/${options}/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@png`;
  const nextYear = Math.floor(Date.now() / 1000) + 31_536_000;
  await server.getStored(path('w:40/h:30'));
  for (const options of ['h:30/w:40', 's:40:30', `w:40/h:30/exp:${nextYear}`, 'w:99/w:40/h:30'])
    expect([options, (await server.get(path(options))).cacheStatus]).toEqual([
      options,
      'imgproxy-cache; hit',
    ]);
  for (const options of ['w:41/h:30', 'w:40/h:30/cb:1', 'w:40/h:30/q:10', 'rs:force:40:30'])
    expect([options, (await server.get(path(options))).cacheStatus]).toEqual([options, MISS_THEN_HIT[0]]);
});

const MISS_THEN_HIT = ['imgproxy-cache; fwd=miss; detail=queued', 'imgproxy-cache; hit'];

async function firstAndStored(server: ImageServer, headers: RequestHeaders): Promise<unknown[]> {
  const first = await server.get(PATH, headers);
  const second = await server.getStored(PATH, headers);
  return [first.cacheStatus, second.cacheStatus];
}

function start(env: NodeJS.ProcessEnv): Promise<ImageServer> {
  return ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_CACHE_USE: 'memory',
    ...env,
  });
}
