// Stores below a limit that entries are past which this process may not remove, and prints what the driver reports
// until it gives up, and whether stores succeed all the same.
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root, maxSize] = process.argv.slice(2);
const kinds = [];
const { promise, resolve } = Promise.withResolvers();
const driver = openDriver(root, { maxSize: Number(maxSize) }, ({ kind, level }) => {
  if (level === 'warn') kinds.push(kind);
  if (kind === 'nothing-evictable') resolve();
});
const entry = createEntry({ name: 'new/entry', contentType: 'image/png', created: 1 }, Buffer.alloc(100));
await driver.put('new/entry', entry);
await promise;
await driver.put('new/entry', entry);
await driver.close();
process.stdout.write(JSON.stringify(kinds));
