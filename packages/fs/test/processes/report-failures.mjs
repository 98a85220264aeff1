// Runs the operations named on a cache and prints how each ended, as JSON.
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root, ...operations] = process.argv.slice(2);
const driver = openDriver(root);
const sizes = { 'put-small': 100, 'put-again': 100, 'put-large': 8 * 1024 * 1024 };

async function perform(operation) {
  switch (operation) {
    case 'get':
      return (await driver.get('v1/first')) === undefined ? 'miss' : 'hit';
    case 'delete':
      return driver.delete(['v1/first']);
    case 'fill':
      for (let count = 0; ; count += 1) await put(`v1/${count}`, 100);
    case 'check':
      return (await driver.check()).findings.map(({ level, subject }) => `${level} ${subject}`);
    default:
      return put('v1/first', sizes[operation]);
  }
}

async function put(name, size) {
  await driver.put(name, createEntry({ name, contentType: 'image/png', created: 1 }, Buffer.alloc(size)));
}

const outcomes = [];
for (const operation of operations) {
  try {
    outcomes.push({ operation, result: (await perform(operation)) ?? 'done' });
  } catch ({ code, message, retryable }) {
    outcomes.push({ operation, code, message, retryable });
  }
}
await driver.close();
process.stdout.write(JSON.stringify(outcomes));
