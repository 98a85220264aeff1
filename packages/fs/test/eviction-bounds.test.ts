import { copyFile, lstat, mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ManualClock } from '@imgproxy-cache/driver-testkit';
import { describe, expect, test } from 'vitest';
import { bodyOf, newFolder, openCache } from './cache-folder.js';
import {
  BODY,
  bookkeeping,
  eventually,
  hashedName,
  heldWithin,
  LIMIT,
  putAll,
  someNames,
  storedBytes,
  storedOf,
} from './stored-files.js';

const LONG_AGO = 1_000_000;

describe('eviction', { timeout: 120_000 }, () => {
  test('neither touches nor counts what is not an entry', async () => {
    const root = await newFolder();
    const before = await openCache({ root });
    const names = someNames('a', 60);
    await putAll(before.driver, names);
    const [first = ''] = names;
    const foreign = [
      'README',
      'v1/notes.txt',
      'originals/large.jpg',
      // In the place of entries.
      hashedName('foreign'),
      `${first}.bak`,
      `${first.slice(0, -1)}_`,
    ];
    for (const name of foreign) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      if (name.startsWith(first.slice(0, -1))) await copyFile(join(root, first), join(root, name));
      else await writeFile(join(root, name), 'mine');
      await utimes(join(root, name), LONG_AGO, LONG_AGO);
    }
    await writeFile(join(root, 'originals/large.jpg'), Buffer.alloc(2 * LIMIT));
    const { driver, events } = await openCache({ root, maxSize: LIMIT });
    await eventually(() => events.some(({ kind }) => kind === 'size-counted'));
    expect(await storedOf(driver, names)).toBe(60);
    await putAll(driver, someNames('b', 120));
    await heldWithin(root, 3 * LIMIT);
    await driver.close();
    for (const name of foreign) expect((await lstat(join(root, name))).isFile(), name).toBe(true);
    expect(await readFile(join(root, hashedName('foreign')), 'utf8')).toBe('mine');
    expect(await storedBytes(root)).toBeGreaterThan(2.8 * LIMIT);
  });

  test('follows no link, of a file or of a folder', async () => {
    const root = await newFolder();
    const elsewhere = await openCache();
    const names = someNames('elsewhere', 20);
    await putAll(elsewhere.driver, names);
    for (const name of names) await utimes(join(elsewhere.root, name), LONG_AGO, LONG_AGO);
    const [first = ''] = names;
    await mkdir(join(root, 'v1'));
    await symlink(join(elsewhere.root, 'v1'), join(root, 'v1', 'linked'));
    await symlink(join(elsewhere.root, first), join(root, 'v1', 'entry'));
    const { driver } = await openCache({ root, maxSize: LIMIT });
    await putAll(driver, someNames('a', 200));
    await heldWithin(root, LIMIT);
    await driver.close();
    expect(await storedOf(elsewhere.driver, names)).toBe(20);
    expect(await readdir(join(root, 'v1'))).toEqual(expect.arrayContaining(['entry', 'linked']));
  });

  test('lets readers see an entry whole or not at all', async () => {
    const { driver, root } = await openCache({ maxSize: LIMIT });
    const names = someNames('a', 300);
    let hits = 0;
    let storing = true;
    const read = async (): Promise<void> => {
      while (storing) {
        for (const name of names) {
          const body = await bodyOf(driver, name);
          if (body !== undefined) expect(body.equals(BODY)).toBe(true);
          if (body !== undefined) hits += 1;
        }
      }
    };
    const readers = [read(), read()];
    await putAll(driver, names);
    await putAll(driver, names);
    storing = false;
    await Promise.all(readers);
    await heldWithin(root, LIMIT);
    expect(hits).toBeGreaterThan(0);
  });

  test('removes the folders that it leaves empty', async () => {
    const { driver, root } = await openCache({ maxSize: LIMIT });
    await putAll(driver, someNames('a', 400));
    await heldWithin(root, LIMIT);
    await driver.close();
    const left = await readdir(join(root, 'v1'), { recursive: true, withFileTypes: true });
    const files = left.filter((item) => item.isFile());
    const parents = new Set(files.map((item) => item.parentPath));
    const leaves = left.filter((item) => item.isDirectory() && item.parentPath !== join(root, 'v1'));
    expect(leaves).toHaveLength(parents.size);
  });

  test('ends with close, in the middle of it', async () => {
    const root = await newFolder();
    const before = await openCache({ root });
    await putAll(before.driver, someNames('a', 300));
    const clock = new ManualClock();
    const { driver, events } = await openCache({ root, maxSize: LIMIT / 10 }, clock);
    clock.advance(1000);
    await eventually(() => events.some(({ kind }) => kind === 'size-counted'));
    await driver.close();
    const left = await storedBytes(root);
    const again = await openCache({ root });
    expect(await storedOf(again.driver, someNames('a', 300))).toBeGreaterThan(10);
    expect(await storedBytes(root)).toBe(left);
    expect(await bookkeeping(root)).not.toContain('counting');
  });

  test('says what it cannot remove once, and harms no operation', async () => {
    const root = await newFolder();
    const { driver, events } = await openCache({ root, minFreeSpace: 2 ** 52 });
    await writeFile(join(root, 'foreign'), 'mine');
    await putAll(driver, ['v1/a']);
    await eventually(() => events.some(({ kind }) => kind === 'nothing-evictable'));
    expect(events.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(await readFile(join(root, 'foreign'), 'utf8')).toBe('mine');
    await putAll(driver, ['v1/b']);
    expect(await bodyOf(driver, 'v1/b')).toEqual(BODY);
  });
});
