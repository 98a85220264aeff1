// Reads entries of a set of names that other processes use too, stores those that are missing after the time that a
// rendering takes, and compares what it reads. Reports how much it has stored, and what was wrong.
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createEntry } from '@imgproxy-cache/core/driver';
import { openDriver } from './open-driver.mjs';

const [root, maxSize, names, size, inFlight, rendering] = process.argv.slice(2);
const wrong = [];
const driver = openDriver(root, { maxSize: Number(maxSize) }, ({ kind, level, message }) => {
  if (level === 'warn') wrong.push(`${kind}: ${message}`);
});
const bytes = Number(size);
let pausing = false;
let stored = 0;
let hits = 0;

function nameOf(number) {
  const hash = createHash('sha256').update(String(number)).digest('hex');
  return `v1/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(0, 32)}-${hash}`;
}

// Half of the bytes are the same in all versions of an entry, so that a torn one cannot go unseen.
function bodyOf(number, version) {
  const body = Buffer.alloc(bytes + (number % 7) * 100, version);
  body.writeUInt32BE(number, 0);
  return body;
}

async function use() {
  while (process.connected) {
    if (pausing) {
      await setTimeout(10);
      continue;
    }
    const number = Math.floor(Math.random() * Number(names));
    const name = nameOf(number);
    try {
      const entry = await driver.get(name);
      if (entry === undefined) {
        await setTimeout(Number(rendering));
        const body = bodyOf(number, process.pid % 256);
        await driver.put(name, createEntry({ name, contentType: 'image/png', created: 1 }, body));
        stored += body.length;
      } else {
        const body = await entry.bytes();
        if (entry.metadata.name !== name || !body.equals(bodyOf(number, body[4])))
          wrong.push(`${name} is torn`);
        hits += 1;
      }
    } catch (error) {
      wrong.push(error.message);
    }
  }
}

// Every message is answered; one that says so ends the use, but not the process.
process.on('message', (message) => {
  if (message === 'pause') pausing = true;
  process.send({ stored, hits, wrong });
});
await Promise.all(Array.from({ length: Number(inFlight) }, use));
await driver.close();
