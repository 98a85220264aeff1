import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock } from '@imgproxy-cache/driver-testkit';
import { describe, expect, test } from 'vitest';
import { entryOf, expectCode, newFolder, openCache } from './cache-folder.js';
import {
  BODY,
  bookkeeping,
  eventually,
  heldWithin,
  LIMIT,
  putAll,
  someNames,
  storedBytes,
  storedOf,
  TEMPORARY_FOLDER,
} from './stored-files.js';

describe('a limit of size', { timeout: 120_000 }, () => {
  test('holds while entries are stored, and is used', async () => {
    const { driver, root } = await openCache({ maxSize: LIMIT });
    await putAll(driver, someNames('a', 300));
    await heldWithin(root, LIMIT);
    await driver.close();
    expect(await storedBytes(root)).toBeGreaterThan(LIMIT * 0.8);
  });

  test('counts what was stored before it was set, in a bucket too', async () => {
    const root = await newFolder();
    const before = await openCache({ root, bucket: 'pictures' });
    await putAll(before.driver, someNames('a', 200));
    const beside = await openCache({ root, bucket: 'beside' });
    await putAll(beside.driver, someNames('b', 200));
    await before.driver.close();
    const others = await storedBytes(join(root, 'beside'));
    await openCache({ root, bucket: 'pictures', maxSize: LIMIT });
    await heldWithin(join(root, 'pictures'), LIMIT);
    expect(await storedBytes(join(root, 'beside'))).toBe(others);
  });

  test('is known at once after a restart', async () => {
    const root = await newFolder();
    const before = await openCache({ root, maxSize: LIMIT });
    await putAll(before.driver, someNames('a', 90));
    await eventually(async () => (await bookkeeping(root)).includes('size'));
    await before.driver.close();
    const { countedAt } = JSON.parse(await readFile(join(root, TEMPORARY_FOLDER, 'size'), 'utf8'));
    // The clock stands still: nothing is counted anew.
    const { driver, events } = await openCache({ root, maxSize: LIMIT }, new ManualClock({ now: countedAt }));
    await putAll(driver, someNames('b', 60));
    await heldWithin(root, LIMIT);
    await driver.close();
    expect(events.map(({ kind }) => kind)).not.toContain('size-counted');
  });

  test('counts an entry that was replaced or deleted once or not at all', async () => {
    const { driver, root, events } = await openCache({ maxSize: LIMIT });
    const names = someNames('a', 60);
    for (let round = 0; round < 4; round += 1) await putAll(driver, names);
    for (let round = 0; round < 4; round += 1) {
      await putAll(driver, someNames('b', 30));
      await driver.delete(someNames('b', 30));
    }
    expect(await storedOf(driver, names)).toBe(60);
    await driver.close();
    expect(events.map(({ kind }) => kind)).not.toContain('entries-evicted');
    expect(await storedBytes(root)).toBeLessThan(LIMIT);
  });

  test('refuses what is larger than itself', async () => {
    const { driver } = await openCache({ maxSize: 5000 });
    await expectCode(driver.put('v1/large', entryOf('v1/large', BODY)), 'ERR_CACHE_TOO_LARGE');
  });

  test('larger than the file system, or a floor that is not free, is a warning of the check', async () => {
    const huge = 2 ** 52;
    const { driver } = await openCache({ maxSize: huge, minFreeSpace: huge });
    const { ok, findings } = await driver.check();
    expect(ok).toBe(true);
    expect(findings).toMatchObject([
      { level: 'warning', subject: 'space', message: expect.stringContaining('IMGPROXY_CACHE_FS_MAX_SIZE') },
      {
        level: 'warning',
        subject: 'space',
        message: expect.stringContaining('IMGPROXY_CACHE_FS_MIN_FREE_SPACE'),
      },
    ]);
    const modest = await openCache({ maxSize: LIMIT, minFreeSpace: 1 });
    expect(await modest.driver.check()).toEqual({ ok: true, findings: [] });
  });
});
