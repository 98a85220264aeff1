import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import {
  CACHE_CHANNELS,
  type CacheRequest,
  createImageCache,
  type ImageCache,
  type Logger,
} from '@imgproxy-cache/core';
import fs from '@imgproxy-cache/fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const STORED = 'imgproxy-cache; fwd=miss; stored';
const HIT = 'imgproxy-cache; hit';

let root: string;
let cache: ImageCache;
const corrupt: unknown[] = [];
const countCorrupt = (event: unknown): void => void corrupt.push(event);

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'imgproxy-cache-fs-'));
  cache = await openCache();
  corrupt.length = 0;
  CACHE_CHANNELS.corrupt.subscribe(countCorrupt);
});

afterEach(async () => {
  CACHE_CHANNELS.corrupt.unsubscribe(countCorrupt);
  await cache.close();
  await rm(root, { recursive: true, force: true });
});

function openCache(env: Readonly<Record<string, string>> = {}, logger?: Logger): Promise<ImageCache> {
  return createImageCache({
    ...(logger !== undefined && { logger }),
    env: {
      IMGPROXY_CACHE_USE: 'fs',
      IMGPROXY_CACHE_FS_ROOT: root,
      IMGPROXY_CACHE_REPORT_ERRORS: 'true',
      ...env,
    },
    drivers: [fs],
  });
}

const variant = (source: string, width: number): CacheRequest => ({
  source,
  options: [['width', String(width)]],
  format: 'png',
});

function picture(seed: number, size = 5000): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + seed) % 256));
}

/** Fetches an image as a host does: what it got, and what the cache said. */
async function fetched(
  request: CacheRequest,
  rendered = picture(1),
  from: ImageCache = cache,
): Promise<{ status: string; body: Buffer; renderings: number }> {
  let renderings = 0;
  const { status, image } = await from.fetch(request, () => {
    renderings++;
    return { body: rendered, contentType: 'image/png' };
  });
  return { status: String(status), body: Buffer.from(await image.bytes()), renderings };
}

async function files(folder = root): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** The one file of a cache that holds one image. */
async function onlyFile(): Promise<string> {
  const [file, ...others] = await files();
  if (file === undefined || others.length > 0) throw new Error(`not one file but ${others.length + 1}`);
  return file;
}

/** A socket as a server leaves it that has died. */
async function socketAt(place: string): Promise<void> {
  // The path of a socket may be no longer than some hundred characters when it is made.
  const short = path.join(root, 'socket');
  const server = createServer().listen(short);
  await once(server, 'listening');
  await rename(short, place);
  server.close();
}

describe('a file that is not the entry that was stored', () => {
  const damages: [string, (file: string) => Promise<void>][] = [
    [
      'a flipped byte in the image',
      async (file) => {
        const content = await readFile(file);
        content[1234] = (content[1234] ?? 0) ^ 1;
        await writeFile(file, content);
      },
    ],
    [
      'a flipped byte in the metadata',
      async (file) => {
        const content = await readFile(file);
        content[content.length - 100] = (content[content.length - 100] ?? 0) ^ 1;
        await writeFile(file, content);
      },
    ],
    ['truncated', async (file) => writeFile(file, (await readFile(file)).subarray(0, 3000))],
    ['cut by one byte', async (file) => writeFile(file, (await readFile(file)).subarray(0, -1))],
    ['empty', async (file) => writeFile(file, '')],
    ['foreign', async (file) => writeFile(file, 'shopping list: milk, bread')],
    [
      'a link to another file',
      async (file) => {
        const target = path.join(root, 'elsewhere');
        await copyFile(file, target);
        await rm(file);
        await symlink(target, file);
      },
    ],
  ];

  it.each(damages)('is never served, is counted, and is replaced: %s', async (_what, damage) => {
    const request = variant('a', 1);
    await fetched(request);
    const file = await onlyFile();
    await damage(file);

    const again = await fetched(request, picture(2));
    expect(again).toMatchObject({ status: `${STORED}; detail=ERR_CACHE_CORRUPT`, renderings: 1 });
    expect(again.body.equals(picture(2))).toBe(true);
    expect(corrupt).toHaveLength(1);

    const after = await fetched(request, picture(3));
    expect(after).toMatchObject({ status: HIT, renderings: 0 });
    expect(after.body.equals(picture(2))).toBe(true);
  });

  it('is never served complete when it is too large to be verified before, and is gone afterwards', async () => {
    await cache.close();
    cache = await openCache({ IMGPROXY_CACHE_VERIFY_BYTES: '1000000' });
    const request = variant('a', 1);
    const large = picture(1, 3_000_000);
    await fetched(request, large);
    const file = await onlyFile();
    const content = await readFile(file);
    content[large.length - 5] = (content[large.length - 5] ?? 0) ^ 1;
    await writeFile(file, content);

    const { status, image } = await cache.fetch(request, () => ({ body: large, contentType: 'image/png' }));
    expect(String(status)).toBe(HIT);
    let received = 0;
    await expect(async () => {
      for await (const chunk of image.stream()) received += (chunk as Buffer).length;
    }).rejects.toMatchObject({ code: 'ERR_CACHE_CORRUPT' });
    expect(received).toBeLessThan(large.length);
    expect(corrupt).toHaveLength(1);
    await expect.poll(() => files()).toEqual([]);
    expect((await fetched(request, large)).status).toBe(`${STORED}; detail=unreadable`);
  });

  it("is a miss and replaced when it was copied under another's name", async () => {
    await fetched(variant('a', 1), picture(1));
    const original = await onlyFile();
    await fetched(variant('a', 2), picture(2));
    const copy = (await files()).find((file) => file !== original) ?? '';
    await copyFile(original, copy);
    const answer = await fetched(variant('a', 2), picture(2));
    expect(answer).toMatchObject({ status: `${STORED}; detail=ERR_CACHE_CORRUPT`, renderings: 1 });
    expect(answer.body.equals(picture(2))).toBe(true);
    expect(corrupt).toHaveLength(1);
  });

  it('is a plain miss and left alone when a newer version wrote its metadata', async () => {
    const request = variant('a', 1);
    await fetched(request);
    const file = await onlyFile();
    const content = (await readFile(file)).toString('latin1');
    const newer = content.replace('"version":"1"', '"version":"2"');
    const covered = Buffer.from(newer.slice(content.indexOf('\r\n\r\n<!--'), -12), 'latin1');
    const checksum = crc32(covered).toString(16).padStart(8, '0');
    await writeFile(file, Buffer.from(`${newer.slice(0, -12)}${checksum}-->\n`, 'latin1'));
    const before = await readFile(file);

    expect(await fetched(request, picture(2))).toMatchObject({
      status: 'imgproxy-cache; fwd=miss; detail=newer-format',
      renderings: 1,
    });
    expect((await readFile(file)).equals(before)).toBe(true);
    expect(corrupt).toEqual([]);
  });
});

describe("what lies in the place of an entry and is not the cache's", () => {
  const things: [string, (place: string) => Promise<unknown>][] = [
    ['an empty folder', (place) => mkdir(place)],
    ['a link that leads nowhere', (place) => symlink(path.join(root, 'nowhere'), place)],
    ['a FIFO', (place) => promisify(execFile)('mkfifo', [place])],
    ['a socket', (place) => socketAt(place)],
  ];

  it.each(things)('is replaced: %s', async (_what, make) => {
    const request = variant('a', 1);
    await fetched(request);
    const place = await onlyFile();
    await rm(place);
    await make(place);
    expect(await fetched(request)).toMatchObject({ status: expect.stringContaining(STORED), renderings: 1 });
    expect(await fetched(request)).toMatchObject({ status: HIT, renderings: 0 });
  });

  it.each([
    [
      'a folder with a file in it',
      async (place: string) => mkdir(path.join(place, "not the cache's"), { recursive: true }),
    ],
    [
      'a file instead of its folder',
      async (place: string) => {
        await rm(path.dirname(place), { recursive: true });
        await writeFile(path.dirname(place), 'mine');
      },
    ],
  ] as const)('costs its own entry alone and is told: %s', async (_what, obstruct) => {
    const request = variant('a', 1);
    await fetched(request);
    const place = await onlyFile();
    await rm(place);
    await obstruct(place);
    await cache.close();
    const warnings: unknown[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (fields: object) => void warnings.push(fields),
    };
    cache = await openCache({ IMGPROXY_CACHE_REPORT_ERRORS: 'false' }, logger);

    expect((await fetched(request)).status).toBe('imgproxy-cache; fwd=miss; detail=queued');
    await expect.poll(() => warnings).toContainEqual({ event: 'place-taken', driver: 'fs' });
    // More than enough to open a breaker.
    for (let failed = 0; failed < 50; ) {
      const { status } = await fetched(request);
      // Until its store has failed the image is served from the queue, without waiting for anything.
      await nextTurn();
      if (status === `${HIT}; detail=pending`) continue;
      expect(status).toBe('imgproxy-cache; fwd=miss; detail=ERR_CACHE_CORRUPT');
      failed += 1;
    }
    expect(warnings.filter((fields) => 'event' in (fields as object))).toHaveLength(1);
    expect(cache.health()).toMatchObject({ status: 'healthy' });
    const other = variant('b', 1);
    expect((await fetched(other)).status).toBe('imgproxy-cache; fwd=miss; detail=queued');
    await expect.poll(async () => (await fetched(other)).status).toBe(HIT);

    await rm(place, { recursive: true, force: true }).catch(() => rm(path.dirname(place)));
    await expect.poll(async () => (await fetched(request)).status).toBe(HIT);
  });
});

describe('purging a source on files', () => {
  it('removes every variant of it and nothing else, with foreign files and other sources in the way', async () => {
    for (let width = 1; width <= 25; width++) await fetched(variant('a', width));
    const ofA = await files();
    for (const source of ['b', 'a/', 'A']) await fetched(variant(source, 1));
    const [first = ''] = ofA;
    const foreign = [
      path.join(root, 'README'),
      path.join(root, 'v1', 'notes.txt'),
      path.join(path.dirname(first), 'picture.png'),
      `${first}.bak`,
      `${first.slice(0, -1)}X`,
    ];
    for (const file of foreign) await writeFile(file, 'mine');
    await mkdir(path.join(path.dirname(first), 'folder'));

    expect(await cache.purgeSource('a')).toBe(25);
    const left = await files();
    for (const file of foreign) expect(left).toContain(file);
    expect(left).toHaveLength(3 + foreign.length);
    expect((await fetched(variant('b', 1))).status).toBe(HIT);
    expect((await fetched(variant('a', 1))).status).toBe(STORED);
  });
});

describe('a thousand requests for one cold key', () => {
  it('cost one rendering, one look-up and one store on files', async () => {
    const operations: string[] = [];
    const listener = (event: unknown): void =>
      void operations.push((event as { operation: string }).operation);
    CACHE_CHANNELS.operation.subscribe(listener);
    let renderings = 0;
    try {
      const results = await Promise.all(
        Array.from({ length: 1000 }, async () => {
          const { image } = await cache.fetch(variant('a', 1), async () => {
            renderings++;
            return { body: picture(1), contentType: 'image/png' };
          });
          return image.bytes();
        }),
      );
      expect(results.every((body) => picture(1).equals(body))).toBe(true);
    } finally {
      CACHE_CHANNELS.operation.unsubscribe(listener);
    }
    expect(renderings).toBe(1);
    expect(operations.sort()).toEqual(['get', 'put']);
  });
});
