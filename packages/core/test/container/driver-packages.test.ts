import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CacheOptions, createImageCache } from '@imgproxy-cache/core';
import { defineCacheDriver } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';
import { driverPackage, folderWith } from './installed-packages.js';

/** What the chosen driver said when it was made: where it is from, and its label. */
async function chosen(options: CacheOptions): Promise<string> {
  const logged: string[] = [];
  const note = (_fields: object, message: string): void => void logged.push(message);
  await using _cache = await createImageCache({
    env: { IMGPROXY_CACHE_USE: 'foo' },
    logger: { debug: note, info: note, warn: note, error: note },
    ...options,
  });
  return logged.join('\n');
}

const OURS = { '@imgproxy-cache/foo': driverPackage('foo') };
const THIRD_PARTYS = { 'imgproxy-cache-driver-foo': driverPackage('foo') };

const PASSED = defineCacheDriver({
  name: 'foo',
  contract: 1,
  config: {},
  capabilities: { shared: false },
  create(_config, { report }) {
    report({ kind: 'created', level: 'info', message: 'passed in' });
    return new MemoryDriver();
  },
});

describe('a driver is found by its name', () => {
  it('among those passed in, before any installed one', async () => {
    const folder = await folderWith({ ...OURS, ...THIRD_PARTYS });
    expect(await chosen({ resolveFrom: folder, drivers: [PASSED] })).toBe('passed in');
  });

  it("as a package of ours, before a third party's", async () => {
    const folder = await folderWith({ ...OURS, ...THIRD_PARTYS });
    expect(await chosen({ resolveFrom: folder })).toBe('@imgproxy-cache/foo/index.js unlabelled');
  });

  it("as a third party's package, whatever else is passed in", async () => {
    const folder = await folderWith(THIRD_PARTYS);
    const drivers = [{ ...PASSED, name: 'bar' }];
    expect(await chosen({ resolveFrom: folder, drivers })).toBe(
      'imgproxy-cache-driver-foo/index.js unlabelled',
    );
  });

  it('in any case of letters', async () => {
    const folder = await folderWith(OURS);
    const env = { IMGPROXY_CACHE_USE: 'FoO' };
    expect(await chosen({ resolveFrom: folder, env })).toBe('@imgproxy-cache/foo/index.js unlabelled');
    expect(await chosen({ env, drivers: [PASSED] })).toBe('passed in');
  });

  it('from a folder, a module or a folder above', async () => {
    const folder = await folderWith(OURS);
    const url = pathToFileURL(folder);
    for (const resolveFrom of [
      folder,
      `${folder}/`,
      path.relative(process.cwd(), folder),
      path.join(folder, 'src', 'deep'),
      `${url}/main.js`,
      `${url}/`,
      new URL(`${url}/src/main.js?query`),
      new URL(`${url}/`),
    ]) {
      expect(await chosen({ resolveFrom })).toBe('@imgproxy-cache/foo/index.js unlabelled');
    }
  });

  it('from the folder of the main module where nothing else is said', async () => {
    const folder = await folderWith(OURS);
    const main = path.join(folder, 'main.js');
    await writeFile(main, '');
    const before = process.argv[1];
    process.argv[1] = main;
    try {
      expect(await chosen({})).toBe('@imgproxy-cache/foo/index.js unlabelled');
    } finally {
      process.argv[1] = before as string;
    }
  });

  it('and gets the values of its own variables', async () => {
    const folder = await folderWith(OURS);
    const env = { IMGPROXY_CACHE_USE: 'foo', IMGPROXY_CACHE_FOO_LABEL: 'as given ' };
    expect(await chosen({ resolveFrom: folder, env })).toBe('@imgproxy-cache/foo/index.js as given ');
  });
});

describe('without a driver', () => {
  it.each([undefined, '', ' ', '\t'])(
    'chosen (%j), the cache is off and every request renders',
    async (use) => {
      await using cache = await createImageCache({ env: { IMGPROXY_CACHE_USE: use }, drivers: [PASSED] });
      let rendered = 0;
      for (let request = 1; request <= 2; request++) {
        const { status, image } = await cache.fetch({ source: 'https://example.com/cat.jpg' }, () => {
          rendered++;
          return { body: Uint8Array.of(1), contentType: 'image/png' };
        });
        expect(String(status)).toBe('imgproxy-cache; fwd=bypass; detail=off');
        expect(await image.bytes()).toEqual(Uint8Array.of(1));
        expect(rendered).toBe(request);
      }
      expect(cache.health()).toEqual({ status: 'off' });
      await cache.delete({ source: 'https://example.com/cat.jpg' });
      expect(await cache.purgeSource('https://example.com/cat.jpg')).toBe(0);
    },
  );
});
