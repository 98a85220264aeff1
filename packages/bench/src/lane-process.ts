/*
 * The process of one contestant at one size and concurrency: contestants in one process would share V8's optimizations,
 * its heap and its thread pool. It imports every table, so that all have a heap of the same size. Rounds are run when the
 * parent asks for them.
 */
import { once } from 'node:events';
import { constants, createHistogram, PerformanceObserver, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LaneReport, LaneStart } from './measure.js';
import type { Round, Workload } from './table.js';
import { TABLES } from './tables/index.js';

// Reading the clock costs as much as a fast operation: of many, only some are timed.
const TIMED_EVERY = 8;
const MANY = 1000;

const latencies = createHistogram();
const collections = { young: 0, full: 0 };
const observer = new PerformanceObserver((list) => count(list.getEntries()));
observer.observe({ entryTypes: ['gc'] });

function count(entries: readonly PerformanceEntry[]): void {
  for (const { detail } of entries as readonly { readonly detail?: { readonly kind?: number } }[]) {
    if (detail?.kind === constants.NODE_PERFORMANCE_GC_MINOR) collections.young += 1;
    if (detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections.full += 1;
  }
}

interface Batch {
  readonly inFlight: number;
  readonly operations: number;
  readonly isTimed: boolean;
}

let next = 0;

async function runOperations(workload: Workload, { inFlight, operations, isTimed }: Batch): Promise<void> {
  const end = next + operations;
  const worker = async (): Promise<void> => {
    while (next < end) {
      const index = next++;
      if (!isTimed || (operations > MANY && index % TIMED_EVERY !== 0)) {
        await workload.run(index);
      } else {
        const began = process.hrtime.bigint();
        await workload.run(index);
        latencies.record(process.hrtime.bigint() - began);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

/** Warms up for as long as two rounds take. @returns how many operations a round holds */
async function warmUp(workload: Workload, inFlight: number, milliseconds: number): Promise<number> {
  const began = performance.now();
  const first = next;
  while (performance.now() - began < milliseconds * 2) {
    await runOperations(workload, { inFlight, operations: inFlight, isTimed: false });
  }
  const perMillisecond = (next - first) / (performance.now() - began);
  return Math.max(inFlight, Math.ceil(perMillisecond * milliseconds));
}

async function measureRound(workload: Workload, batch: Batch): Promise<Round> {
  const { operations } = batch;
  Object.assign(collections, { young: 0, full: 0 });
  const cpu = process.cpuUsage();
  const began = performance.now();
  await runOperations(workload, batch);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await nextTurn();
  count(observer.takeRecords());
  const cpuMicroseconds = (user + system) / operations;
  return {
    operationsPerSecond: operations / seconds,
    operationsPerCpuSecond: 1_000_000 / cpuMicroseconds,
    cpuMicroseconds,
    youngCollections: (collections.young / operations) * 1000,
    fullCollections: (collections.full / operations) * 1000,
  };
}

async function run(): Promise<void> {
  const [start] = (await once(process, 'message')) as [LaneStart];
  const { bytes, inFlight, roundMilliseconds, scale } = start;
  const table = TABLES.find(({ name }) => name === start.table);
  const contestant = table !== undefined && 'contestants' in table && table.contestants[start.contestant];
  if (!contestant) throw new Error(`no contestant ${start.contestant} in the table ${start.table}`);
  const workload = await contestant.open(bytes, scale);
  const operations = await warmUp(workload, inFlight, roundMilliseconds);
  const batch = { inFlight, operations, isTimed: true };
  const rounds: Round[] = [];
  const requestsBefore = (await workload.wireRequests?.()) ?? 0;
  const report = (done: boolean, wireRequests?: number): void => {
    const [p50, p99] = [50, 99].map((percentile) => latencies.percentile(percentile) / 1000);
    process.send?.({ rounds, p50, p99, wireRequests, done } satisfies LaneReport);
  };
  report(false);
  for (;;) {
    const [order] = (await once(process, 'message')) as ['round' | 'end'];
    if (order === 'end') break;
    rounds.push(await measureRound(workload, batch));
    report(false);
  }
  const received = await workload.wireRequests?.();
  await workload.close();
  report(
    true,
    received === undefined ? undefined : (received - requestsBefore) / (operations * rounds.length),
  );
  process.disconnect?.();
}

await run();
