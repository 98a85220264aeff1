// Stores and reads an image and comes to its end without closing the driver.
import { imageOf, openDriver } from './open-driver.mjs';

const driver = openDriver(process.argv[2]);
await driver.put('v1/a', imageOf('v1/a', 1, 1000));
await driver.get('v1/a');
process.stdout.write('at its end\n');
