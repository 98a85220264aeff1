import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createImageCache } from '@imgproxy-cache/core';
import { createEntry } from '@imgproxy-cache/core/driver';
import memory, { MemoryDriver } from '@imgproxy-cache/memory';
import { imageBody } from '../bodies.js';
import { nameOf, renderer, requestOf } from '../peers/imgproxy-cache.js';
import type { Experiment } from '../table.js';

const ENTRIES = 1_000_000;
const VARIANTS = 1_000;
const BYTES = 16;
const LARGE = 1_048_576;
const LIMIT_MILLISECONDS = 10;

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The longest time in which the event loop did not turn while `work` ran, with and without garbage collections. */
async function longestStall(work: () => Promise<unknown>): Promise<{ whole: number; own: number }> {
  const pauses: Span[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      pauses.push({ from: startTime, to: startTime + duration });
  });
  observer.observe({ entryTypes: ['gc'] });
  const turns: number[] = [performance.now()];
  let isOver = false;
  const ended = work().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await nextTurn();
    turns.push(performance.now());
  }
  await ended;
  await nextTurn();
  observer.disconnect();
  const gaps = turns.slice(1).map((to, index) => ({ from: turns[index] ?? to, to }));
  const lengthOf = ({ from, to }: Span): number => to - from;
  const ownOf = (gap: Span): number =>
    pauses.reduce(
      (sum, { from, to }) => sum - Math.max(0, Math.min(to, gap.to) - Math.max(from, gap.from)),
      lengthOf(gap),
    );
  return { whole: Math.max(...gaps.map(lengthOf)), own: Math.max(...gaps.map(ownOf)) };
}

export const stalls: Experiment = {
  name: 'stalls',
  title: 'Stalls of the event loop',
  operation: `The longest time in which the event loop does not turn, on a memory driver of ${ENTRIES} entries: a list of all, a purge of a source with ${VARIANTS} images, and the store of an image of 1 MiB that evicts about ${VARIANTS} entries.`,
  async run({ scale }) {
    const entries = ENTRIES * scale;
    // Full, with the allowance for metadata that each entry takes besides its body.
    const driver = new MemoryDriver({ maxSize: entries * (BYTES + 1024), maxEntries: entries });
    const definition = { ...memory, create: () => driver };
    const env = { IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_REPORT_ERRORS: '1' };
    const cache = await createImageCache({ env, drivers: [definition] });
    const body = imageBody(BYTES, 0);
    for (let index = 0; index < entries; index++) {
      const name = nameOf(index);
      await driver.put(name, createEntry({ name, contentType: 'image/webp', created: Date.now() }, body));
    }
    const { source } = requestOf(0);
    for (let width = 1; width <= VARIANTS; width++) {
      await cache.fetch({ source, options: [['width', String(width)]] }, renderer(body));
    }
    const large = renderer(imageBody(LARGE, 0));
    const works: Readonly<Record<string, () => Promise<unknown>>> = {
      list: async () => {
        for await (const name of driver.list('')) if (name === '') break;
      },
      purge: () => cache.purgeSource(source),
      eviction: () => cache.fetch(requestOf(1), large),
    };
    const rows: (string | number)[][] = [];
    const goals: { text: string; met: boolean }[] = [];
    for (const [name, work] of Object.entries(works)) {
      await nextTurn();
      const { whole, own } = await longestStall(work);
      rows.push([name, entries, own.toFixed(1), whole.toFixed(1)]);
      goals.push({
        text: `${name} on memory stalls the event loop for less than ${LIMIT_MILLISECONDS} ms, collections apart: ${own.toFixed(1)}`,
        met: own < LIMIT_MILLISECONDS,
      });
    }
    await cache.close();
    return {
      columns: ['work', 'entries', 'longest stall, ms', 'with garbage collections, ms'],
      rows,
      goals,
    };
  },
};
