import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CacheDriver, checkDriver, type DriverEvent, systemClock } from '@imgproxy-cache/core/driver';
import sqlite from 'imgproxy-cache-driver-sqlite';
import { describe, expect, test } from 'vitest';
import { firstByte, imageOf, newFile, openDriver, withDatabase } from './database-file.js';

function faultsOf(file: string): unknown {
  return sqlite.validate?.({ file, busyTimeout: 5, keepReplaced: 300 });
}

/** What a driver says of a database that it cannot use, whatever it is asked for. */
async function refusalsOf(driver: CacheDriver): Promise<unknown[]> {
  const outcomes = await Promise.allSettled([
    driver.get('v1/a'),
    driver.put('v1/a', imageOf('v1/a', 1)),
    driver.delete(['v1/a']),
    namesOf(driver, ''),
  ]);
  expect((await checkDriver(driver, { clock: systemClock, reservedName: 'v1/check' })).ok).toBe(false);
  return outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason);
}

async function namesOf(driver: CacheDriver, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of driver.list(prefix)) names.push(name);
  return names;
}

describe('the configuration', () => {
  test.each([
    ['a file that does not exist', async () => undefined],
    ['an empty file', (file: string) => writeFile(file, '')],
    ['a database', (file: string) => openDriver(file).put('v1/a', imageOf('v1/a', 1))],
  ])('takes %s', async (_title, prepare) => {
    const file = await newFile();
    await prepare(file);
    expect(await faultsOf(file)).toEqual([]);
  });

  test.each([
    ['a folder that is missing', 'missing/cache.db', 'ENOENT'],
    ['a file in the place of the folder', 'note.txt/cache.db', 'is not a folder'],
    ['a folder in the place of the file', 'folder', 'is not a file'],
    ['a file that is no database', 'note.txt', 'no SQLite database'],
  ])('refuses %s', async (_title, path, problem) => {
    const folder = dirname(await newFile());
    await mkdir(join(folder, 'folder'));
    await writeFile(join(folder, 'note.txt'), 'milk, bread and eggs');
    expect(await faultsOf(join(folder, path))).toEqual([
      { variable: 'IMGPROXY_CACHE_SQLITE_FILE', message: expect.stringContaining(problem) },
    ]);
  });
});

describe('a file that cannot be used is named and left as it is', () => {
  test('when it is no database', async () => {
    const file = await newFile();
    const text = 'milk, bread and eggs\n'.repeat(500);
    await writeFile(file, text);
    for (const refusal of await refusalsOf(openDriver(file))) {
      expect(refusal).toMatchObject({
        code: 'ERR_CACHE_UNAVAILABLE',
        retryable: false,
        message: expect.stringContaining(`${file} is damaged`),
      });
    }
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test('when it is the database of another program', async () => {
    const file = await newFile();
    withDatabase(file, (database) => database.exec("CREATE TABLE shopping AS SELECT 'milk' AS what"));
    const before = await readFile(file);
    for (const refusal of await refusalsOf(openDriver(file))) {
      expect(refusal).toMatchObject({
        code: 'ERR_CACHE_CONFIG',
        retryable: false,
        message: expect.stringContaining('another program'),
      });
    }
    expect(await readFile(file)).toEqual(before);
  });

  test('when its tables are of a newer version', async () => {
    const file = await newFile();
    const older = openDriver(file);
    await older.put('v1/a', imageOf('v1/a', 1));
    await older.close();
    withDatabase(file, (database) => database.exec('PRAGMA user_version = 2'));
    const before = await readFile(file);
    for (const refusal of await refusalsOf(openDriver(file))) {
      expect(refusal).toMatchObject({
        code: 'ERR_CACHE_UNSUPPORTED',
        retryable: false,
        message: expect.stringContaining('version 2'),
      });
    }
    expect(await readFile(file)).toEqual(before);
  });
});

test('a database that was deleted under a running driver is begun anew, and reported', async () => {
  const file = await newFile();
  const events: DriverEvent[] = [];
  const [driver, other] = [openDriver(file, {}, { report: (event) => events.push(event) }), openDriver(file)];
  await driver.put('v1/a', imageOf('v1/a', 1));
  const found = await other.get('v1/a');
  for (const suffix of ['', '-wal', '-shm']) await rm(file + suffix, { force: true });
  await driver.put('v1/a', imageOf('v1/a', 2));
  await expect(found?.bytes()).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE' });
  expect(await firstByte(other, 'v1/a')).toBe(2);
  expect(events).toMatchObject([
    { kind: 'database-replaced', level: 'warn', message: expect.stringContaining(file) },
  ]);
});

test('metadata that is no JSON object of strings is a damaged entry', async () => {
  const file = await newFile();
  const driver = openDriver(file);
  for (const fields of ['{', 'null', '[]', '"text"', '{"version":1,"name":2,"type":{"a":1}}']) {
    await driver.put('v1/a', imageOf('v1/a', 1));
    withDatabase(file, (database) =>
      database.prepare('UPDATE entry SET fields = ? WHERE replaced IS NULL').run(fields),
    );
    await expect(driver.get('v1/a')).rejects.toMatchObject({ code: 'ERR_CACHE_CORRUPT' });
  }
});

test('names are listed in pages, and whatever else is in the table is not', async () => {
  const file = await newFile();
  const driver = openDriver(file);
  await driver.put('v1/a', imageOf('v1/a', 1));
  const strangers = Array.from({ length: 2500 }, (_, index) => `v1/b${index}${index % 2 ? '' : '\u00fc'}`);
  withDatabase(file, (database) => {
    database.exec('BEGIN');
    const insert = database.prepare("INSERT INTO entry (name, fields) VALUES (?, '{}')");
    for (const name of [...strangers, 'v1/a b', 'v1/', 'v10']) insert.run(name);
    database.exec('COMMIT');
  });
  const expected = ['v1/a', 'v1/a b', ...strangers.filter((name) => !name.endsWith('\u00fc'))].sort();
  expect(await namesOf(driver, 'v1/')).toEqual(expected);
});

test('its file shows what wrote it', async () => {
  const file = await newFile();
  await openDriver(file).put('v1/a', imageOf('v1/a', 1));
  const application = withDatabase(file, (database) => database.prepare('PRAGMA application_id').get());
  expect(application).toEqual({ application_id: Buffer.from('imgc').readInt32BE() });
  expect((await stat(file)).isFile()).toBe(true);
});
