import { CacheKeyBuilder } from '@imgproxy-cache/core';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { IMAGES, imageBody } from '../bodies.js';
import { type Measurement, measureTable, spread } from '../measure.js';
import { entryOf, nameOf, OUR_VERSION, openCache, renderer, requestOf } from '../peers/imgproxy-cache.js';
import type { Contestant, Experiment } from '../table.js';

const BYTES = 50_000;

const key: Contestant = {
  name: 'key',
  version: OUR_VERSION,
  settings: 'SHA-256 of the whole tuple',
  async open() {
    const keys = new CacheKeyBuilder();
    return { run: (index) => keys.build(requestOf(index % IMAGES)), close: async () => undefined };
  },
};

const bare: Contestant = {
  name: 'bare driver call',
  version: OUR_VERSION,
  settings: 'memory driver, get and bytes',
  async open() {
    const driver = new MemoryDriver();
    for (let index = 0; index < IMAGES; index++) await driver.put(nameOf(index), entryOf(index, BYTES));
    const names = Array.from({ length: IMAGES }, (_, index) => nameOf(index));
    return {
      run: async (index) => (await driver.get(names[index % IMAGES] ?? ''))?.bytes(),
      close: () => driver.close(),
    };
  },
};

const whole: Contestant = {
  name: 'ImageCache.fetch',
  version: OUR_VERSION,
  settings: 'defaults, memory driver',
  async open() {
    const cache = await openCache({ IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_REPORT_ERRORS: '1' });
    for (let index = 0; index < IMAGES; index++) {
      await cache.fetch(requestOf(index), renderer(imageBody(BYTES, index)));
    }
    const miss = (): never => {
      throw new Error('a miss where a hit was expected');
    };
    return {
      run: async (index) => (await cache.fetch(requestOf(index % IMAGES), miss)).image.bytes(),
      close: () => cache.close(),
    };
  },
};

export const policy: Experiment = {
  name: 'policy',
  title: "The policy's own share of a hit",
  operation:
    'CPU of a hit on the memory driver, less that of its key and of a bare driver call: single flight, deadline, events.',
  async run(effort) {
    const table = {
      name: 'policy',
      title: '',
      operation: '',
      contestants: [key, bare, whole],
      sizes: [BYTES],
      inFlight: [1],
      goals: [],
    };
    const [ofKey, ofDriver, ofFetch] = (await measureTable(table, effort, () => undefined)) as [
      Measurement,
      Measurement,
      Measurement,
    ];
    const share = spread(
      ofFetch.rounds.map(
        (round, index) =>
          round.cpuMicroseconds -
          (ofKey.rounds[index]?.cpuMicroseconds ?? 0) -
          (ofDriver.rounds[index]?.cpuMicroseconds ?? 0),
      ),
    );
    const row = (name: string, figure: typeof share): (string | number)[] => [
      name,
      figure.median.toFixed(2),
      figure.min.toFixed(2),
      figure.max.toFixed(2),
    ];
    return {
      columns: ['part', 'us CPU', 'min', 'max'],
      rows: [
        row('key', ofKey.cpuMicroseconds),
        row('bare driver call', ofDriver.cpuMicroseconds),
        row('policy', share),
        row('ImageCache.fetch', ofFetch.cpuMicroseconds),
      ],
      goals: [{ text: `policy below 2 us of CPU: ${share.median.toFixed(2)}`, met: share.median < 2 }],
    };
  },
};
