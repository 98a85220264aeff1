import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readVerified, verifyName } from '@imgproxy-cache/core/driver';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, openCache } from './cache-folder.js';

const NAME = 'v1/ab/cd/entry';
const LARGE = 2 * 1024 * 1024;
const SVG = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="9"><rect width="9" height="9"/></svg>',
);

async function image(format: 'jpeg' | 'png' | 'webp' | 'gif' | 'avif'): Promise<Buffer> {
  return sharp(SVG).toFormat(format).toBuffer();
}

async function storedFile(
  body: Uint8Array,
): Promise<{ path: string; file: Buffer; cache: Awaited<ReturnType<typeof openCache>> }> {
  const cache = await openCache();
  await cache.driver.put(NAME, entryOf(NAME, body));
  const path = join(cache.root, NAME);
  return { path, file: await readFile(path), cache };
}

describe('the file of an entry', () => {
  test.for(['jpeg', 'png', 'webp', 'gif', 'avif'] as const)('is still a %s', async (format) => {
    const body = await image(format);
    const { path, file } = await storedFile(body);
    expect(file.subarray(0, body.length).equals(body)).toBe(true);
    const opened = sharp(path, { failOn: 'warning' });
    expect((await opened.metadata()).format).toBe(format === 'avif' ? 'heif' : format);
    expect(await opened.raw().toBuffer()).toEqual(await sharp(body).raw().toBuffer());
  });

  test('is still an SVG, whatever the metadata says', async () => {
    const { driver, root } = await openCache();
    const name = 'v1/--><svg--/-';
    await driver.put(name, entryOf(name, SVG, { contentType: 'image/svg+xml', tags: ['-->', '<!--', '--'] }));
    const pixels = await sharp(join(root, name), { failOn: 'warning' }).raw().toBuffer();
    expect(pixels).toEqual(await sharp(SVG).raw().toBuffer());
    const entry = await driver.get(name);
    expect(entry?.metadata).toMatchObject({ name, tags: ['-->', '<!--', '--'] });
  });

  test('is a sequence of whole boxes for a container of boxes', async () => {
    for (const body of [await image('avif'), jpegXl()]) {
      const { file } = await storedFile(body);
      const trailer = file.subarray(body.length);
      expect(trailer.readUInt32BE(0)).toBe(trailer.length);
      expect(trailer.toString('latin1', 4, 8)).toBe('free');
    }
  });

  test('keeps all metadata, and any body', async () => {
    const { driver } = await openCache();
    const description = {
      contentType: 'image/avif',
      created: 1,
      expires: 2,
      etag: '"ä\\"',
      lastModified: 'Sat, 21 Nov 2026 10:00:00 GMT',
      cacheControl: 'max-age=60',
      tags: ['a', 'b,c'],
      dimensions: { originWidth: 1, originHeight: 2, originBytes: 3, resultWidth: 4, resultHeight: 5 },
    };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (body) => {
        const entry = entryOf(NAME, body, description);
        await driver.put(NAME, entry);
        const stored = await driver.get(NAME);
        expect(stored?.metadata).toEqual(entry.metadata);
        expect(Buffer.from((await stored?.bytes()) ?? [])).toEqual(Buffer.from(body));
      }),
      { numRuns: 50 },
    );
  });

  test('is found again at every size around the limit of reading at once', async () => {
    const { driver } = await openCache();
    for (const size of [0, 1, 1024 * 1024 - 1, 1024 * 1024 + 7800, 1024 * 1024 + 8192, LARGE]) {
      const body = Buffer.alloc(size, size % 251);
      await driver.put(NAME, entryOf(NAME, body));
      expect(await bodyOf(driver, NAME)).toEqual(body);
    }
  });
});

test('an entry that was small is found as what it has become', async () => {
  const { driver, root } = await openCache();
  const small = Buffer.from('small');
  const large = Buffer.alloc(LARGE, 'large');
  for (const body of [small, large, small, large]) {
    await driver.put(NAME, entryOf(NAME, body));
    for (let reads = 0; reads < 3; reads += 1) {
      expect((await bodyOf(driver, NAME))?.equals(body)).toBe(true);
    }
  }
  await driver.put(NAME, entryOf(NAME, small));
  expect(await bodyOf(driver, NAME)).toEqual(small);
  await rm(join(root, NAME));
  expect(await driver.get(NAME)).toBeUndefined();
  await mkdir(join(root, NAME));
  expect(await driver.get(NAME)).toBeUndefined();
});

describe.for([
  ['small', 1000],
  ['large', LARGE],
] as const)('what is wrong with a %s file', ([, size]) => {
  const body = Buffer.alloc(size, 'x');

  test('is seen at every byte of the metadata', async () => {
    const { path, file, cache } = await storedFile(body);
    for (let position = body.length; position < file.length; position += 1) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(position) ^ 1, position);
      await writeFile(path, damaged);
      await expectCode(cache.driver.get(NAME), 'ERR_CACHE_CORRUPT');
    }
  });

  test('is seen in the body when it is verified', async () => {
    const { path, file, cache } = await storedFile(body);
    file.writeUInt8(file.readUInt8(size - 1) ^ 1, size - 1);
    await writeFile(path, file);
    const entry = await cache.driver.get(NAME);
    if (entry === undefined) throw new Error('the entry is missing');
    await expectCode(readVerified(entry), 'ERR_CACHE_CORRUPT');
  });

  test('is seen where bytes are missing or added', async () => {
    const { path, file, cache } = await storedFile(body);
    const variants = [
      Buffer.alloc(0),
      file.subarray(0, -1),
      file.subarray(0, size),
      file.subarray(0, size / 2),
      file.subarray(1),
      file.subarray(size),
      file.subarray(-40),
      Buffer.concat([file, Buffer.from('\n')]),
      Buffer.concat([Buffer.from('x'), file]),
      Buffer.alloc(size, 'foreign '),
    ];
    for (const variant of variants) {
      await writeFile(path, variant);
      await expectCode(cache.driver.get(NAME), 'ERR_CACHE_CORRUPT');
    }
  });

  test('is not confused with the file of a newer version', async () => {
    const { path, file, cache } = await storedFile(body);
    await writeFile(path, asVersion(file, '02', size));
    await expectCode(cache.driver.get(NAME), 'ERR_CACHE_UNSUPPORTED');
  });

  test('is mended by the next put', async () => {
    const { path, cache } = await storedFile(body);
    await writeFile(path, 'foreign');
    await cache.driver.put(NAME, entryOf(NAME, body));
    expect(await bodyOf(cache.driver, NAME)).toEqual(body);
  });

  test('does not include a file that was copied: it tells the name it had', async () => {
    const { path, cache } = await storedFile(body);
    const copy = 'v1/ef/copy';
    await mkdir(dirname(join(cache.root, copy)));
    await copyFile(path, join(cache.root, copy));
    const entry = await cache.driver.get(copy);
    if (entry === undefined) throw new Error('the entry is missing');
    expect(() => verifyName(entry.metadata, copy)).toThrowError(/stored under the name v1\/ab\/cd\/entry/);
    await entry.discard();
  });
});

function jpegXl(): Buffer {
  const signature = Buffer.from([0, 0, 0, 12, ...Buffer.from('JXL '), 13, 10, 0x87, 10]);
  const codestream = Buffer.from([0, 0, 0, 10, ...Buffer.from('jxlc'), 0xff, 10]);
  return Buffer.concat([signature, codestream]);
}

/** Changes the version in the footer, with the checksum that a newer software would have written. */
function asVersion(file: Buffer, version: string, bodySize: number): Buffer {
  const changed = Buffer.from(file);
  changed.write(version, changed.length - 24, 'latin1');
  const checksum = crc32(changed.subarray(bodySize, changed.length - 12));
  changed.write(checksum.toString(16).padStart(8, '0'), changed.length - 12, 'latin1');
  return changed;
}
