// Closes the driver in the midst of a store, and waits for both.
import { imageOf, openDriver } from './open-driver.mjs';

const driver = openDriver(process.argv[2]);
await driver.put('v1/a', imageOf('v1/a', 1, 1000));
const store = driver.put('v1/b', imageOf('v1/b', 2, 20_000_000));
await driver.close();
await store;
process.stdout.write('stored and closed\n');
