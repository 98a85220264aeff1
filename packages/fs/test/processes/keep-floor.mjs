// Stores more than a small file system holds beside its floor of free space, then lets another program fill a part of
// it, and prints both times what is free and stored when the floor is kept.
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const FLOOR = 4 * 1024 * 1024;
const [root] = process.argv.slice(2);
const driver = openDriver(root, { minFreeSpace: FLOOR });
let number = 0;

async function put() {
  number += 1;
  const name = `v1/${number}`;
  const entry = createEntry({ name, contentType: 'image/png', created: 1 }, Buffer.alloc(100_000));
  // It may find the disk full: others store faster than anybody evicts.
  await driver.put(name, entry).catch((error) => {
    if (error.code !== 'ERR_CACHE_NO_SPACE') throw error;
  });
}

async function free() {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}

async function state() {
  while ((await free()) < FLOOR) await setTimeout(20);
  const names = [];
  for await (const name of driver.list('')) names.push(name);
  return { free: await free(), entries: names.length, newest: names.includes(`v1/${number}`) };
}

for (let count = 0; count < 300; count += 1) await put();
const stored = await state();
await writeFile(join(root, 'originals'), Buffer.alloc(3_000_000));
await put();
const filled = await state();
await driver.close();
process.stdout.write(JSON.stringify([stored, filled]));
