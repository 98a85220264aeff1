import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseHexList, signPath } from '@imgproxy-cache/url';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { ImageServer } from './image-server.js';
import { PICTURE_FOLDER, PICTURES, picturePath, VARIANTS } from './pictures.js';
import { TemporaryFolder } from './temporary-folder.js';

const FIRST = picturePath(PICTURES[0] as string, 120, 'webp');

/** A server with these pictures; of the environment only the driver differs. */
function start(folder: TemporaryFolder, use: string, env: NodeJS.ProcessEnv = {}): Promise<ImageServer> {
  return ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_CACHE_FS_ROOT: folder.path,
    IMGPROXY_CACHE_USE: use,
    ...env,
  });
}

describe.each(['fs', 'memory'] as const)('IMGPROXY_CACHE_USE=%s', (driver) => {
  test('serves every picture in every format and size, the second time from the cache, byte for byte', async () => {
    await using folder = await TemporaryFolder.create();
    await using server = await start(folder, driver);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(PICTURES.length).toBeGreaterThan(0);
    for (const { format, width, path } of VARIANTS) {
      const first = await server.get(`/x${path}`);
      expect([path, first.status]).toEqual([path, 200]);
      expect(first.cacheStatus).toBe('imgproxy-cache; fwd=miss; detail=queued');
      expect(first.headers['content-type']).toBe(`image/${format}`);
      expect(first.headers['content-length']).toBe(String(first.body.length));
      const metadata = await sharp(first.body).metadata();
      expect(metadata.format).toBe(format);
      expect(Math.max(metadata.width, metadata.pageHeight ?? metadata.height)).toBeLessThanOrEqual(width);

      const second = await server.getStored(`/x${path}`);
      expect(second.cacheStatus).toBe('imgproxy-cache; hit');
      expect(second.headers['content-type']).toBe(first.headers['content-type']);
      expect(second.headers['content-length']).toBe(first.headers['content-length']);
      expect(second.body.equals(first.body)).toBe(true);
    }
  });
});

test('a blank IMGPROXY_CACHE_USE renders every request and gives the same bytes', async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await start(folder, '');
  const [first, second] = [await server.get(`/x${FIRST}`), await server.get(`/x${FIRST}`)];
  expect(first.cacheStatus).toBe('imgproxy-cache; fwd=bypass; detail=off');
  expect(second.cacheStatus).toBe('imgproxy-cache; fwd=bypass; detail=off');
  expect(second.body.equals(first.body)).toBe(true);
});

test('a cache on disk outlives a restart', async () => {
  await using folder = await TemporaryFolder.create();
  await using before = await start(folder, 'fs');
  const bodies = new Map<string, Buffer>();
  for (const { path } of VARIANTS) bodies.set(path, (await before.get(`/x${path}`)).body);
  expect(await before.stop()).toBe(0);

  await using after = await start(folder, 'fs');
  for (const { path } of VARIANTS) {
    const answer = await after.get(`/x${path}`);
    expect([path, answer.cacheStatus]).toEqual([path, 'imgproxy-cache; hit']);
    expect(answer.body.equals(bodies.get(path) as Buffer)).toBe(true);
  }
});

test('an image too large to be verified whole is streamed from the cache, byte for byte', async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await start(folder, 'fs', { IMGPROXY_CACHE_VERIFY_BYTES: '100' });
  const path = `/x${picturePath(PICTURES[0] as string, 640, 'png')}`;
  const first = await server.get(path);
  const second = await server.getStored(path);
  expect(second.body.length).toBeGreaterThan(100);
  expect(second.headers['content-length']).toBe(String(first.body.length));
  expect(second.body.equals(first.body)).toBe(true);
});

test('a cache in memory does not', async () => {
  await using folder = await TemporaryFolder.create();
  await using before = await start(folder, 'memory');
  await before.getStored(`/x${FIRST}`);
  await before.stop();
  await using after = await start(folder, 'memory');
  expect((await after.get(`/x${FIRST}`)).cacheStatus).toBe('imgproxy-cache; fwd=miss; detail=queued');
});

test('signatures are checked before the cache is asked and are no part of what is stored', async () => {
  const [oldKey, oldSalt, newKey, newSalt] = Array.from({ length: 4 }, () => randomBytes(32).toString('hex'));
  const sign = (path: string, key = '', salt = '') =>
    signPath(path, { keys: parseHexList(key), salts: parseHexList(salt) });
  const oldUrl = sign(FIRST, oldKey, oldSalt);
  const newUrl = sign(FIRST, newKey, newSalt);

  await using folder = await TemporaryFolder.create();
  await using server = await start(folder, 'memory', {
    IMGPROXY_KEY: `${oldKey},${newKey}`,
    IMGPROXY_SALT: `${oldSalt},${newSalt}`,
  });
  const stored = await server.getStored(oldUrl);
  expect(stored.status).toBe(200);
  const other = await server.get(newUrl);
  expect(other.cacheStatus).toBe('imgproxy-cache; hit');
  expect(other.body.equals(stored.body)).toBe(true);

  for (const forged of ['x', 'unsafe', signatureOf(sign(FIRST, oldKey, newSalt))]) {
    const answer = await server.get(`/${forged}${FIRST}`);
    expect([forged, answer.status, String(answer.body)]).toEqual([forged, 403, 'Forbidden']);
    expect(answer.cacheStatus).toBeUndefined();
    expect(answer.headers['cache-control']).toBe('no-store');
  }
  for (const url of [oldUrl, newUrl]) expect(server.errorOutput).not.toContain(signatureOf(url));
});

test('a thousand cold images at once are rendered a few at a time', async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await start(folder, 'memory');
  const paths = Array.from({ length: 1000 }, (_, index) => {
    const name = encodeURIComponent(PICTURES[index % PICTURES.length] as string);
    return `/x/w:8/cb:${index}/plain/local:///${name}@png`;
  });
  const before = await peakMemory(server.pid);
  const answers = await Promise.all(paths.map((path) => server.get(path)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  // In megabytes: what is rendered takes memory, what waits its turn does not.
  expect((await peakMemory(server.pid)) - before).toBeLessThan(500);
});

test('the page lists the pictures with URLs that work, signed where signatures are checked', async () => {
  for (const env of [{}, { IMGPROXY_KEY: 'aabb', IMGPROXY_SALT: 'ccdd' }]) {
    await using folder = await TemporaryFolder.create();
    await using server = await start(folder, 'memory', env);
    const page = await server.get('/');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const { cache, pictures } = JSON.parse(String((await server.get('/gallery.json')).body));
    expect(cache.driver).toBe('memory');
    const listed = pictures.map(({ name }: { name: string }) => name);
    expect(listed).toEqual(PICTURES.toSorted().slice(0, 24));
    const [{ variants }] = pictures;
    expect(variants.length).toBeGreaterThan(1);
    for (const { url } of variants) expect([url, (await server.get(url)).status]).toEqual([url, 200]);
  }
});

function signatureOf(url: string): string {
  return url.split('/')[1] as string;
}

/** In megabytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
