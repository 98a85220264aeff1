import { describe, expect, test } from 'vitest';
import { entryOf, expectCode, openCache } from './cache-folder.js';
import { startScript } from './child-process.js';
import { allFilesClosed, openFilesBelow } from './hung-thread-pool.js';

const NAME = 'v1/ab/cd/entry';
const MEBIBYTE = 1024 * 1024;

async function largeEntry() {
  const cache = await openCache();
  const body = Buffer.alloc(3 * MEBIBYTE + 17);
  for (let position = 0; position < body.length; position += 4096) body.writeUInt32BE(position, position);
  await cache.driver.put(NAME, entryOf(NAME, body));
  const entry = await cache.driver.get(NAME);
  if (entry === undefined) throw new Error('the entry is missing');
  return { ...cache, body, entry };
}

describe('the body of a large entry', () => {
  test('comes in chunks, and the same as in one piece', async () => {
    const { driver, entry, body } = await largeEntry();
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.stream()) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(4);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
    expect(Buffer.from((await (await driver.get(NAME))?.bytes()) ?? []).equals(body)).toBe(true);
  });

  test('is consumed once', async () => {
    const { entry } = await largeEntry();
    await entry.bytes();
    await expectCode(entry.bytes(), 'ERR_CACHE_DRIVER_CONTRACT');
  });

  test('keeps memory small while 64 slow readers take 20 MB each', { timeout: 60_000 }, async () => {
    const { driver, root } = await openCache();
    const size = 20_000_000;
    await driver.put(NAME, entryOf(NAME, Buffer.alloc(size, 's')));
    const reader = startScript('stream-slowly.mjs', root, NAME, '64');
    const { total, growth } = (await reader.nextMessage()) as { total: number; growth: number };
    expect(total).toBe(64 * size);
    // 64 readers hold a chunk of 256 KiB each; what else grows is garbage.
    expect(growth).toBeLessThan(200_000_000);
  });
});

describe.runIf(process.platform === 'linux')('the file of a large entry is closed (Linux)', () => {
  test('when it was read, left early, discarded or disposed of', async () => {
    const { driver, root, entry } = await largeEntry();
    expect(openFilesBelow(root)).toBe(1);
    await entry.bytes();
    const next = async () => {
      const again = await driver.get(NAME);
      if (again === undefined) throw new Error('the entry is missing');
      return again;
    };
    for await (const _chunk of (await next()).stream()) break;
    for await (const _chunk of (await next()).stream());
    await (await next()).discard();
    {
      await using _unread = await next();
    }
    await allFilesClosed(root);
  });

  test('when it is not an entry after all', async () => {
    const { root, entry } = await largeEntry();
    await entry.discard();
    const { truncate } = await import('node:fs/promises');
    await truncate(`${root}/${NAME}`, 2 * MEBIBYTE);
    const { driver } = await openCache({ root });
    for (let count = 0; count < 20; count += 1) await expectCode(driver.get(NAME), 'ERR_CACHE_CORRUPT');
    await allFilesClosed(root);
  });

  test('when it becomes shorter while it is read', async () => {
    const { root, entry } = await largeEntry();
    const { truncate } = await import('node:fs/promises');
    await truncate(`${root}/${NAME}`, MEBIBYTE);
    await expectCode(entry.bytes(), 'ERR_CACHE_CORRUPT');
    await allFilesClosed(root);
  });
});
