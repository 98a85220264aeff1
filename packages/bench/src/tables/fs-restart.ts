import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { createEntry, type DriverEvent, systemClock } from '@imgproxy-cache/core/driver';
import fs from '@imgproxy-cache/fs';
import { imageBody } from '../bodies.js';
import { entryOf, nameOf, spreadName } from '../peers/imgproxy-cache.js';
import type { Experiment } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';

const ENTRIES = Number(process.env['BENCH_FS_ENTRIES'] ?? 100_000);
const SMOKE_ENTRIES = 1_000;
const BYTES = 1_000;
const IN_FLIGHT = 8;
const SAMPLE_MILLISECONDS = 20;

/** What a process is started for. */
interface Order {
  readonly root: string;
  readonly maxSize: number;
  /** The event of the driver that ends it. */
  readonly until: 'size-counted' | 'entries-evicted';
}

interface Outcome {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** By how much resident memory grew, at most, in bytes. */
  readonly growth: number;
  /** The 99th percentile, in milliseconds. */
  readonly eventLoopDelay: number;
  readonly message: string;
}

export const fsRestart: Experiment = {
  name: 'fs-restart',
  title: 'A restart with many entries on files',
  operation: `A process starts on a folder of ${ENTRIES} entries of ${BYTES} bytes with IMGPROXY_CACHE_FS_MAX_SIZE, and stores one: until it knows the size, and until 5 % are evicted. Files and folders are in the caches of the system.`,
  async run({ scale }) {
    const entries = scale < 1 ? SMOKE_ENTRIES : ENTRIES;
    const folder = await temporaryFolder();
    try {
      await fill(folder.path, entries);
      const counted = await restart({ root: folder.path, maxSize: 2 ** 50, until: 'size-counted' });
      const bytes = Number(/of ([0-9]+) bytes/.exec(counted.message)?.[1]);
      const evicted = await restart({ root: folder.path, maxSize: bytes, until: 'entries-evicted' });
      return {
        columns: [
          'restart',
          'entries',
          'seconds',
          'CPU seconds',
          'memory grew by, MB',
          'event loop p99, ms',
          'driver',
        ],
        rows: [
          ['size unknown, until it is counted', entries, ...figures(counted)],
          ['size known, until 5 % are evicted', entries, ...figures(evicted)],
        ],
        goals: [],
      };
    } finally {
      await folder.remove();
    }
  },
};

async function fill(root: string, entries: number): Promise<void> {
  const driver = openFiles(root, 0, () => {});
  let next = 0;
  const put = async (): Promise<void> => {
    while (next < entries) {
      const index = next++;
      const name = spreadName(index);
      const created = Date.now();
      await driver.put(
        name,
        createEntry({ name, contentType: 'image/webp', created }, imageBody(BYTES, index)),
      );
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, put));
  await driver.close();
}

async function restart(order: Order): Promise<Outcome> {
  const child = fork(fileURLToPath(import.meta.url), [], { execArgv: [] });
  child.send(order);
  const [outcome] = (await once(child, 'message')) as [Outcome];
  await once(child, 'exit');
  return outcome;
}

function figures({ seconds, cpuSeconds, growth, eventLoopDelay, message }: Outcome): (string | number)[] {
  return [
    seconds.toFixed(1),
    cpuSeconds.toFixed(1),
    (growth / 1_000_000).toFixed(0),
    eventLoopDelay.toFixed(1),
    message,
  ];
}

function openFiles(
  root: string,
  maxSize: number,
  report: (event: DriverEvent) => void,
): ReturnType<typeof fs.create> {
  const config = { root, bucket: '', sync: false, fileMode: '0600', folderMode: '0700' };
  const context = { report, clock: systemClock, reservedName: 'v1/check' };
  return fs.create({ ...config, maxSize, minFreeSpace: 0 }, context);
}

/** The process that starts anew. */
async function follow({ root, maxSize, until }: Order): Promise<Outcome> {
  const before = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const began = performance.now();
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, SAMPLE_MILLISECONDS);
  const { promise, resolve } = Promise.withResolvers<string>();
  const driver = openFiles(root, maxSize, ({ kind, message }) => {
    if (kind === until) resolve(message);
  });
  await driver.put(nameOf(0), entryOf(0, BYTES));
  const message = await promise;
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(sampling);
  delay.disable();
  await driver.close();
  return {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    growth: peak - before,
    eventLoopDelay: delay.percentile(99) / 1e6,
    message,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [order] = (await once(process, 'message')) as [Order];
  process.send?.(await follow(order));
  process.disconnect?.();
}
