// Fills a small file system to its last byte with entries, below a limit that is larger than it, and prints how the
// store that found no room ended, and whether others succeed soon.
import { setTimeout } from 'node:timers/promises';
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root] = process.argv.slice(2);
const driver = openDriver(root, { maxSize: 1e9 });

async function put(name) {
  await driver.put(name, createEntry({ name, contentType: 'image/png', created: 1 }, Buffer.alloc(100_000)));
}

let failure;
for (let number = 0; failure === undefined; number += 1) {
  await put(`v1/${number}`).catch(({ code }) => {
    failure = code;
  });
}
let storedAfterwards = false;
while (!storedAfterwards) {
  await setTimeout(20);
  storedAfterwards = await put('v1/afterwards').then(
    () => true,
    () => false,
  );
}
await driver.close();
process.stdout.write(JSON.stringify({ failure, storedAfterwards }));
