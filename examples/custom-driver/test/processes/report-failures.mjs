// Performs the operations named and prints how each of them ended, as JSON.
import { checkDriver, systemClock } from '@imgproxy-cache/core/driver';
import { imageOf, openDriver } from './open-driver.mjs';

const [file, ...operations] = process.argv.slice(2);
const driver = openDriver(file);
const known = {
  get: async () => ((await driver.get('v1/small')) === undefined ? 'miss' : 'hit'),
  'put-small': () => driver.put('v1/small', imageOf('v1/small', 1, 100)),
  'put-large': () => driver.put('v1/large', imageOf('v1/large', 1, 8_000_000)),
  delete: () => driver.delete(['v1/small']),
  check: async () => {
    const { findings } = await checkDriver(driver, { clock: systemClock, reservedName: 'v1/check' });
    return findings.map(({ level, subject }) => `${level} ${subject}`);
  },
};
const outcomes = [];
for (const operation of operations) {
  try {
    outcomes.push({ operation, result: (await known[operation]()) ?? 'done' });
  } catch ({ code, message, retryable }) {
    outcomes.push({ operation, code, message, retryable });
  }
}
await driver.close();
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
