import { readFile } from 'node:fs/promises';
import { createEntry } from '@imgproxy-cache/core/driver';
import sqlite from 'imgproxy-cache-driver-sqlite';
import { expect, test } from 'vitest';
import { firstByte, newFile, openDriver, withDatabase } from './database-file.js';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

test('the README lists the variables as the driver has them', () => {
  const rows = Object.values(sqlite.config).map(({ variable, default: value, doc }) => {
    return `| \`${variable}\` | ${value === '' ? 'required' : value} | ${doc} |`;
  });
  expect(readme.match(/^\| `IMGPROXY_.*$/gm)).toEqual(rows);
});

test('the SQL of the README lets images go that are older than 30 days, and no others', async () => {
  const [, sql = ''] = /```\n(UPDATE[^`]*)```/.exec(readme) ?? [];
  const file = await newFile();
  const driver = openDriver(file, { keepReplaced: 0 });
  const day = 86_400_000;
  for (const age of [29, 31]) {
    const details = { name: `v1/${age}`, contentType: 'image/webp', created: Date.now() - age * day };
    await driver.put(details.name, createEntry(details, Buffer.alloc(10, age)));
  }
  withDatabase(file, (database) => database.exec(sql));
  expect(await firstByte(driver, 'v1/29')).toBe(29);
  expect(await firstByte(driver, 'v1/31')).toBeUndefined();
  await driver.delete([]);
  const left = withDatabase(file, (database) => database.prepare('SELECT name FROM entry').all());
  expect(left).toEqual([{ name: 'v1/29' }]);
});
