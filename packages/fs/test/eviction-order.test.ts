import { lstat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock } from '@imgproxy-cache/driver-testkit';
import { describe, expect, test } from 'vitest';
import { bodyOf, newFolder, openCache } from './cache-folder.js';
import { bookkeeping, heldWithin, LIMIT, putAll, someNames, storedOf } from './stored-files.js';

const MINUTE = 60 * 1000;
const HOUR = 60 * MINUTE;

/** Lets files look as if nobody had used them for some time, in milliseconds. */
async function age(root: string, names: readonly string[], time: number): Promise<void> {
  const seconds = (Date.now() - time) / 1000;
  for (const name of names) await utimes(join(root, name), seconds, seconds);
}

async function usedAt(root: string, name: string): Promise<number> {
  return (await lstat(join(root, name))).mtimeMs;
}

describe('what goes first', { timeout: 120_000 }, () => {
  test('is what nobody has used for long, as the files themselves tell after a restart', async () => {
    const root = await newFolder();
    const before = await openCache({ root });
    const [old, recent, fresh] = [someNames('old', 60), someNames('recent', 60), someNames('fresh', 30)];
    await putAll(before.driver, [...recent, ...old]);
    await age(root, old, 3 * HOUR);
    await age(root, recent, HOUR);
    const { driver } = await openCache({ root, maxSize: LIMIT });
    await putAll(driver, fresh);
    await heldWithin(root, LIMIT);
    await driver.close();
    // 150 entries were stored, and some 95 stay.
    const [oldLeft, recentLeft, freshLeft] = await Promise.all(
      [old, recent, fresh].map((names) => storedOf(before.driver, names)),
    );
    expect(freshLeft).toBe(30);
    expect(recentLeft).toBeGreaterThanOrEqual(55);
    expect(oldLeft).toBeLessThanOrEqual(15);
  });

  test('is not what was read since it was stored', async () => {
    const { driver, root } = await openCache({ maxSize: LIMIT });
    const [read, unread] = [someNames('read', 40), someNames('unread', 40)];
    await putAll(driver, [...read, ...unread]);
    for (let number = 0; number < 80; number += 1) {
      for (const name of read) expect(await bodyOf(driver, name)).toBeDefined();
      await putAll(driver, [`v1/later/${number}`]);
    }
    await heldWithin(root, LIMIT);
    expect(await storedOf(driver, read)).toBeGreaterThanOrEqual(36);
    expect(await storedOf(driver, unread)).toBeLessThanOrEqual(20);
  });

  test('is not what other processes read', async () => {
    const root = await newFolder();
    const before = await openCache({ root });
    const [read, unread] = [someNames('read', 40), someNames('unread', 40)];
    await putAll(before.driver, [...read, ...unread]);
    await age(root, [...read, ...unread], HOUR);
    const reader = await openCache({ root, maxSize: LIMIT });
    for (const name of read) await bodyOf(reader.driver, name);
    await reader.driver.close();
    const { driver } = await openCache({ root, maxSize: LIMIT });
    await putAll(driver, someNames('later', 50));
    await heldWithin(root, LIMIT);
    expect(await storedOf(driver, read)).toBeGreaterThanOrEqual(36);
    expect(await storedOf(driver, unread)).toBeLessThanOrEqual(20);
  });
});

describe('the time of a file', () => {
  const name = 'v1/entry';

  test('follows its hits, but only once in ten minutes', async () => {
    const root = await newFolder();
    const clock = new ManualClock();
    const { driver } = await openCache({ root, maxSize: LIMIT }, clock);
    await putAll(driver, [name]);
    const stored = await usedAt(root, name);
    clock.advance(9 * MINUTE);
    await bodyOf(driver, name);
    clock.advance(2 * MINUTE);
    await bodyOf(driver, name);
    const marked = clock.now();
    clock.advance(9 * MINUTE);
    await bodyOf(driver, name);
    await driver.close();
    expect(marked - stored).toBeGreaterThan(10 * MINUTE);
    expect(await usedAt(root, name)).toBeCloseTo(marked, -1);
  });

  test('is left alone by a hit soon after the one of another process', async () => {
    const root = await newFolder();
    const clock = new ManualClock();
    const [first, second] = [
      await openCache({ root, minFreeSpace: 1 }, clock),
      await openCache({ root, minFreeSpace: 1 }, clock),
    ];
    await putAll(first.driver, [name]);
    clock.advance(HOUR);
    const marked = clock.now();
    await bodyOf(first.driver, name);
    await first.driver.close();
    clock.advance(5 * MINUTE);
    await bodyOf(second.driver, name);
    await second.driver.close();
    expect(await usedAt(root, name)).toBeCloseTo(marked, -1);
  });

  test('is left alone without a limit, and nothing is written about the size', async () => {
    const root = await newFolder();
    const clock = new ManualClock();
    const { driver } = await openCache({ root }, clock);
    await putAll(driver, [name]);
    const stored = await usedAt(root, name);
    clock.advance(HOUR);
    await bodyOf(driver, name);
    await driver.close();
    expect(await usedAt(root, name)).toBe(stored);
    expect(await bookkeeping(root)).toEqual([]);
  });
});
