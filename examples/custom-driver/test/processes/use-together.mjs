// Stores and reads images whose names other processes use, too, and reports how often, and what was wrong.
import { readVerified, verifyName } from '@imgproxy-cache/core/driver';
import { imageOf, openDriver } from './open-driver.mjs';

const [file, number, rounds] = process.argv
  .slice(2)
  .map((argument, index) => (index === 0 ? argument : Number(argument)));
const driver = openDriver(file);
const wrong = [];
let hits = 0;

async function use(round) {
  const name = `v1/${(round * 7 + number) % 12}`;
  await driver.put(name, imageOf(name, number, 300_000 + number));
  const found = await driver.get(name);
  if (found === undefined) throw new Error(`${name} is a miss`);
  verifyName(found.metadata, name);
  const body = await readVerified(found);
  if (body.length !== 300_000 + body[0]) throw new Error(`${name} has another's size`);
  hits += 1;
}

for (let round = 0; round < rounds; round += 1) await use(round).catch((error) => wrong.push(error.message));
await driver.close();
process.send({ hits, wrong });
process.disconnect();
