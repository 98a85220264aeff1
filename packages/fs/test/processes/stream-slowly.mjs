// Opens many streams of one large entry at a time, takes them chunk by chunk, and reports the growth of memory.
import { openDriver } from './open-driver.mjs';

const [root, name, streams] = process.argv.slice(2);
const driver = openDriver(root);
const before = process.memoryUsage.rss();
let peak = before;
let total = 0;

async function take() {
  const entry = await driver.get(name);
  for await (const chunk of entry.stream()) {
    total += chunk.length;
    peak = Math.max(peak, process.memoryUsage.rss());
    // All other streams go one chunk ahead before this one goes on.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await Promise.all(Array.from({ length: Number(streams) }, take));
process.send({ total, growth: peak - before });
process.disconnect();
