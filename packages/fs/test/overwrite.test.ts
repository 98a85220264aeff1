import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readVerified, verifyName } from '@imgproxy-cache/core/driver';
import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, namesIn, newFolder, openCache } from './cache-folder.js';
import { startScript } from './child-process.js';

const NAME = 'v1/ab/cd/entry';
const MEBIBYTE = 1024 * 1024;

async function readWhole(driver: Awaited<ReturnType<typeof openCache>>['driver']): Promise<number> {
  const entry = await driver.get(NAME);
  if (entry === undefined) throw new Error('the entry vanished during an overwrite');
  verifyName(entry.metadata, NAME);
  const body = await readVerified(entry);
  return body[0] ?? -1;
}

describe('an overwrite', () => {
  test.for([
    ['4 MiB', 4 * MEBIBYTE, 1000],
    ['50 KiB', 50 * 1024, 3000],
  ] as const)(
    'of %s shows readers the old or the new entry, never a part',
    { timeout: 60_000 },
    async ([, size, reads]) => {
      const { driver, root } = await openCache();
      const writers = [0, 1].map(() => startScript('overwrite-forever.mjs', root, NAME, String(size)));
      await Promise.all(writers.map((writer) => writer.nextMessage()));
      const seen = new Set<number>();
      let done = 0;
      const readRepeatedly = async (): Promise<void> => {
        while (done < reads) {
          done += 1;
          seen.add(await readWhole(driver));
        }
      };
      await Promise.all([readRepeatedly(), readRepeatedly(), readRepeatedly()]);
      // It would prove nothing had the writers stood still.
      expect(seen.size).toBeGreaterThan(5);
    },
  );

  test('leaves an entry that was got before as it was', async () => {
    const { driver } = await openCache();
    const old = Buffer.alloc(4 * MEBIBYTE, 'o');
    await driver.put(NAME, entryOf(NAME, old));
    const entry = await driver.get(NAME);
    await driver.put(NAME, entryOf(NAME, Buffer.from('new')));
    expect(Buffer.from((await entry?.bytes()) ?? []).equals(old)).toBe(true);
    expect(await bodyOf(driver, NAME)).toEqual(Buffer.from('new'));
  });

  test('by another process with a body of another size is read whole', async () => {
    const reader = await openCache();
    const writer = await openCache({ root: reader.root });
    // On both sides of each limit at which the reader goes another way.
    const sizes = [
      10,
      100_000,
      10,
      3 * MEBIBYTE,
      200_000,
      100_000,
      100_001,
      3 * MEBIBYTE,
      10,
      100_000,
      99_999,
    ];
    for (const [index, size] of sizes.entries()) {
      const body = Buffer.alloc(size, index + 1);
      await writer.driver.put(NAME, entryOf(NAME, body));
      for (const _again of [1, 2]) expect((await bodyOf(reader.driver, NAME))?.equals(body)).toBe(true);
    }
  });

  test('by several puts at once leaves one of them', async () => {
    const { driver, root } = await openCache();
    const bodies = Array.from({ length: 20 }, (_, index) => Buffer.alloc(100_000, index));
    await Promise.all(bodies.map((body) => driver.put(NAME, entryOf(NAME, body))));
    const stored = await bodyOf(driver, NAME);
    expect(bodies.filter((body) => stored?.equals(body))).toHaveLength(1);
    expect(await readdir(join(root, '.imgproxy-cache-tmp'))).toEqual([]);
  });
});

describe('a process killed while it writes', () => {
  test('leaves nothing that is served in part, and its leftovers go', { timeout: 60_000 }, async () => {
    const root = await newFolder();
    const temporary = join(root, '.imgproxy-cache-tmp');
    let leftovers = 0;
    for (let round = 0; round < 12; round += 1) {
      const writer = startScript('overwrite-forever.mjs', root, NAME, String(8 * MEBIBYTE));
      const overwrites = 1 + Math.floor(Math.random() * 3);
      for (let count = 0; count < overwrites; count += 1) await writer.nextMessage();
      // At a moment somewhere within, or soon after, an overwrite that has begun.
      while ((await readdir(temporary)).length === 0);
      for (let turn = Math.random() * 20; turn > 0; turn -= 1) await readdir(temporary);
      await writer.kill();
      leftovers += (await readdir(temporary)).length;

      const { driver, events } = await openCache({ root });
      await readWhole(driver);
      expect(await namesIn(driver, '')).toEqual([NAME]);
      const unfinished = (await readdir(temporary)).length;
      await driver.put(NAME, entryOf(NAME));
      await driver.close();
      expect(await readdir(temporary)).toEqual([]);
      expect(events.map(({ kind }) => kind)).toEqual(unfinished > 0 ? ['leftovers-removed'] : []);
    }
    // It would prove nothing had every process been killed between two writes.
    expect(leftovers).toBeGreaterThan(0);
  });
});
