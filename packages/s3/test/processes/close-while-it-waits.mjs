// Closes a driver while the SDK waits before it asks again, and tells what that leaves to wait for.
import { S3Driver } from '@imgproxy-cache/s3';

// Only the SDK's wait is to count as a timer.
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timeout = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
const waits = () => process.getActiveResourcesInfo().includes('Timeout');

const config = JSON.parse(process.argv[2] ?? '');
const driver = new S3Driver(config, { report() {}, clock, reservedName: 'v1/check' });
let failure;
const listing = driver
  .list('v1/')
  .next()
  .catch((error) => {
    failure = error.code;
  });
while (!waits() && failure === undefined) await new Promise(setImmediate);
await driver.close();
await listing;
await new Promise(setImmediate);
process.stdout.write(`${failure} ${waits() ? 'waits' : 'ends'}`);
