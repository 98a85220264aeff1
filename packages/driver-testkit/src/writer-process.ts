/*
 * The process that is killed: opens the driver in its argument, and puts ever new versions of one entry.
 */
import { type CacheDriverDefinition, systemClock } from '@imgproxy-cache/core/driver';
import type { WriterOrder } from './killed-writer.js';
import { versionedEntry } from './sample-entries.js';

// Otherwise it would outlive a suite that is killed.
process.once('disconnect', () => process.exit());

const order = JSON.parse(String(process.argv[2])) as WriterOrder;
const { default: definition } = (await import(order.module)) as { default?: CacheDriverDefinition };
if (typeof definition?.create !== 'function')
  throw new TypeError(`${order.module} has no definition as its default export`);
process.send?.('imported');
const context = { clock: systemClock, reservedName: order.reservedName, report: () => undefined };
const driver = definition.create(order.config as never, context);
await driver.put(order.name, versionedEntry(order.name, 1, order.size));
process.send?.('putting');
for (let version = 2; ; version += 1) {
  await driver.put(order.name, versionedEntry(order.name, version, order.size));
}
