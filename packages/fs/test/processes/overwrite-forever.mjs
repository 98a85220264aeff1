// Overwrites one entry again and again, each time with another byte all over, and reports every overwrite.
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root, name, size] = process.argv.slice(2);
const driver = openDriver(root);
for (let round = 1; process.connected; round += 1) {
  const body = Buffer.alloc(Number(size), round % 256);
  await driver.put(name, createEntry({ name, contentType: 'image/png', created: round }, body));
  process.send(round);
}
