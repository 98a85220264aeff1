import { getEventListeners } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheDriver, OperationOptions } from '@imgproxy-cache/core/driver';
import type { FsDriver } from '@imgproxy-cache/fs';
import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, openCache } from './cache-folder.js';
import { allFilesClosed, hangThreadPool, openFilesBelow } from './hung-thread-pool.js';

const NAME = 'v1/ab/cd/entry';
const LARGE = Buffer.alloc(3 * 1024 * 1024, 'large');

async function listAll(driver: CacheDriver, options: OperationOptions): Promise<void> {
  for await (const _name of driver.list('', options));
}

const OPERATIONS = {
  get: (driver: CacheDriver, options: OperationOptions) => driver.get(NAME, options),
  put: (driver: CacheDriver, options: OperationOptions) =>
    driver.put(NAME, entryOf(NAME, Buffer.from('new')), options),
  delete: (driver: CacheDriver, options: OperationOptions) => driver.delete([NAME, 'v1/other'], options),
  list: listAll,
  check: (driver: FsDriver, options: OperationOptions) => driver.check(options),
};
const NAMES = ['get', 'put', 'delete', 'list', 'check'] as const;

describe.for(NAMES)('%s', (operation) => {
  test('does nothing with a signal that was aborted before', async () => {
    const { driver } = await openCache();
    await driver.put(NAME, entryOf(NAME));
    await expectCode(OPERATIONS[operation](driver, { signal: AbortSignal.abort() }), 'ERR_CACHE_ABORTED');
    expect(await bodyOf(driver, NAME)).toEqual(Buffer.from(entryOf(NAME).body));
  });

  test('leaves no listener on the signal', async () => {
    const { driver } = await openCache();
    await driver.put(NAME, entryOf(NAME));
    const { signal } = new AbortController();
    await OPERATIONS[operation](driver, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test.runIf(process.platform === 'linux')(
    'ends while the file system hangs, and leaves nothing open (Linux)',
    async () => {
      const { driver, root } = await openCache();
      await driver.put(NAME, entryOf(NAME, LARGE));
      const release = await hangThreadPool();
      const controller = new AbortController();
      const running = OPERATIONS[operation](driver, { signal: controller.signal });
      // It must not end by itself: everything that could make it do so hangs.
      const aborted = new Promise((resolve) => setImmediate(resolve)).then(() => controller.abort('enough'));
      await expect(running).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED', cause: 'enough' });
      await aborted;
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      release();
      await driver.close();
      await allFilesClosed(root);
      expect(await readdir(join(root, '.imgproxy-cache-tmp'))).toEqual([]);
    },
  );
});

test('an aborted delete names what may still be stored', async () => {
  const { driver } = await openCache();
  await expect(driver.delete(['a', 'b'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_CACHE_ABORTED',
    failedNames: ['a', 'b'],
  });
});

test('a put aborted while it writes leaves the old entry or the new one, and no other file', async () => {
  const { driver, root } = await openCache();
  const old = Buffer.from('old');
  for (let turns = 0; turns < 12; turns += 1) {
    await driver.put(NAME, entryOf(NAME, old));
    const controller = new AbortController();
    const body = Buffer.alloc(16 * 1024 * 1024, turns);
    const running = driver.put(NAME, entryOf(NAME, body), { signal: controller.signal });
    const outcome = running.then(
      () => 'stored',
      (error: { code: string }) => error.code,
    );
    for (let turn = 0; turn < turns * 3; turn += 1) await readdir(root);
    controller.abort();
    expect(['stored', 'ERR_CACHE_ABORTED']).toContain(await outcome);
    const stored = await bodyOf(driver, NAME);
    expect(stored?.equals(old) || stored?.equals(body)).toBe(true);
  }
  await driver.close();
  expect(await readdir(join(root, '.imgproxy-cache-tmp'))).toEqual([]);
  expect(await namesIn((await openCache({ root })).driver, '')).toEqual([NAME]);
});

describe.runIf(process.platform === 'linux')('the body of a large entry (Linux)', () => {
  test.for(['bytes', 'stream'] as const)('can be given up while its %s hang', async (consumption) => {
    const { driver, root } = await openCache();
    await driver.put(NAME, entryOf(NAME, LARGE));
    const entry = await driver.get(NAME);
    if (entry === undefined) throw new Error('the entry is missing');
    const release = await hangThreadPool();
    const controller = new AbortController();
    const { signal } = controller;
    const reading =
      consumption === 'bytes'
        ? entry.bytes({ signal })
        : entry.stream({ signal })[Symbol.asyncIterator]().next();
    setImmediate(() => controller.abort());
    await expectCode(reading, 'ERR_CACHE_ABORTED');
    expect(openFilesBelow(root)).toBe(1);
    release();
    await allFilesClosed(root);
  });

  test('leaves no listener, chunk by chunk', async () => {
    const { driver } = await openCache();
    await driver.put(NAME, entryOf(NAME, LARGE));
    const { signal } = new AbortController();
    const entry = await driver.get(NAME, { signal });
    for await (const _chunk of entry?.stream({ signal }) ?? []) {
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    }
  });
});
