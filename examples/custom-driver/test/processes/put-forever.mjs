// Stores images, each in the place of the one before, until it is killed; reports every one.
import { imageOf, openDriver } from './open-driver.mjs';

const [file, name] = process.argv.slice(2);
const driver = openDriver(file);
for (let round = 1; process.connected; round += 1) {
  await driver.put(name, imageOf(name, round % 256, 2_000_000));
  process.send(round);
}
await driver.close();
