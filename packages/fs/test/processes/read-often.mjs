// Reads one entry as often as told, and reports how often V8 has collected the young generation and the whole heap meanwhile.
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root, bytes, times] = process.argv.slice(2);
const driver = openDriver(root);
const name = 'v1/entry';
await driver.put(
  name,
  createEntry({ name, contentType: 'image/png', created: 1 }, Buffer.alloc(Number(bytes))),
);
const collections = { young: 0, full: 0 };
const observer = new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) {
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections.young += 1;
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections.full += 1;
  }
});
observer.observe({ entryTypes: ['gc'] });
for (let time = 0; time < Number(times); time += 1) {
  const entry = await driver.get(name);
  let length = 0;
  for await (const chunk of entry.stream()) length += chunk.length;
  if (length !== Number(bytes)) throw new Error(`read ${length} bytes`);
}
await setImmediate();
await driver.close();
process.stdout.write(JSON.stringify(collections));
