import { readVerified, systemClock } from '@imgproxy-cache/core/driver';
import { expect, test } from 'vitest';
import { firstByte, imageOf, newFile, openDriver, withDatabase } from './database-file.js';

const LARGE = 3_000_000;

function storedImages(file: string): unknown {
  const count = 'SELECT (SELECT count(*) FROM entry) AS entries, (SELECT count(*) FROM chunk) AS chunks';
  return withDatabase(file, (database) => database.prepare(count).get());
}

test('who is reading an image that is replaced or deleted reads it to its end', async () => {
  const driver = openDriver(await newFile());
  await driver.put('v1/a', imageOf('v1/a', 1, LARGE));
  const first = await driver.get('v1/a');
  await driver.put('v1/a', imageOf('v1/a', 2, LARGE));
  const second = await driver.get('v1/a');
  await driver.delete(['v1/a']);
  expect(await firstByte(driver, 'v1/a')).toBeUndefined();
  const bodies = await Promise.all([first, second].map((found) => found && readVerified(found)));
  expect(bodies.map((body) => body?.[0])).toEqual([1, 2]);
});

test('a reader that takes longer than replaced images are kept is told so', async () => {
  const driver = openDriver(await newFile(), { keepReplaced: 0 });
  await driver.put('v1/a', imageOf('v1/a', 1, LARGE));
  const found = await driver.get('v1/a');
  await driver.put('v1/a', imageOf('v1/a', 2, LARGE));
  await expect(found?.bytes()).rejects.toMatchObject({
    code: 'ERR_CACHE_UNAVAILABLE',
    message: expect.stringContaining('IMGPROXY_CACHE_SQLITE_KEEP_REPLACED_SECONDS'),
  });
});

test('replaced and deleted images leave the file once their time is over', async () => {
  const file = await newFile();
  let now = 1_000_000;
  const clock = { ...systemClock, now: () => now };
  const driver = openDriver(file, { keepReplaced: 60 }, { clock });
  for (const byte of [1, 2, 3]) await driver.put('v1/a', imageOf('v1/a', byte, LARGE));
  await driver.put('v1/b', imageOf('v1/b', 4));
  await driver.delete(['v1/b']);
  expect(storedImages(file)).toEqual({ entries: 4, chunks: 37 });
  now += 60_000;
  await driver.delete([]);
  expect(storedImages(file)).toEqual({ entries: 1, chunks: 12 });
  expect(await firstByte(driver, 'v1/a')).toBe(3);
});
