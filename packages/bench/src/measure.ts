import { createHistogram, performance } from 'node:perf_hooks';
import type { Contestant, Effort, Round, Table, Workload } from './table.js';

/** Least, middle and greatest of the rounds. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What was measured of one contestant at one size and concurrency. */
export interface Measurement {
  readonly contestant: string;
  readonly version: string;
  readonly settings: string;
  readonly bytes: number;
  readonly inFlight: number;
  readonly operationsPerSecond: Spread;
  readonly operationsPerCpuSecond: Spread;
  /** CPU time of the process for one operation, all its threads. */
  readonly cpuMicroseconds: Spread;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
  /** Memory that the results of operations hold, each. */
  readonly heldBytes: number;
  /** Requests that the store received for one operation, where it can tell. */
  readonly wireRequests: number | undefined;
  /** The rounds themselves, in the order they ran, for ratios of the same round. */
  readonly rounds: readonly Round[];
}

// Reading the clock costs as much as a fast operation: only some are timed.
const TIMED_EVERY = 8;
const HELD = 64;

/** Measures all contestants of a table, round by round in turn, so that a drifting machine is fair to all. */
export async function measureTable(
  table: Table,
  effort: Effort,
  progress: (text: string) => void,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const bytes of table.sizes) {
    for (const inFlight of table.inFlight) {
      if (bytes * inFlight > effort.mostBytesInFlight) continue;
      progress(`${table.name}: ${bytes} bytes, ${inFlight} in flight`);
      measurements.push(...(await measureSideBySide(table.contestants, bytes, inFlight, effort)));
    }
  }
  return measurements;
}

async function measureSideBySide(
  contestants: readonly Contestant[],
  bytes: number,
  inFlight: number,
  effort: Effort,
): Promise<Measurement[]> {
  const lanes = [];
  for (const contestant of contestants) lanes.push(await Lane.open(contestant, bytes, inFlight, effort));
  for (let round = 0; round < effort.rounds; round++) {
    for (const lane of lanes) await lane.measureRound();
  }
  const measurements = [];
  for (const lane of lanes) measurements.push(await lane.finish());
  return measurements;
}

/** One contestant over all rounds. */
class Lane {
  readonly #contestant: Contestant;
  readonly #workload: Workload;
  readonly #bytes: number;
  readonly #inFlight: number;
  readonly #operations: number;
  readonly #latencies = createHistogram();
  readonly #rounds: Round[] = [];
  #wireRequests = 0;

  private constructor(
    contestant: Contestant,
    workload: Workload,
    bytes: number,
    inFlight: number,
    operations: number,
  ) {
    this.#contestant = contestant;
    this.#workload = workload;
    this.#bytes = bytes;
    this.#inFlight = inFlight;
    this.#operations = operations;
  }

  /** Warms up for as long as two rounds take, and finds out how many operations a round holds. */
  static async open(contestant: Contestant, bytes: number, inFlight: number, effort: Effort): Promise<Lane> {
    const workload = await contestant.open(bytes);
    const least = inFlight * effort.leastTurns;
    const began = performance.now();
    let done = 0;
    do {
      await runOperations(workload, inFlight, least, undefined);
      done += least;
    } while (performance.now() - began < effort.roundMilliseconds * 2);
    const perMillisecond = done / (performance.now() - began);
    const operations = Math.max(least, Math.ceil(perMillisecond * effort.roundMilliseconds));
    return new Lane(contestant, workload, bytes, inFlight, operations);
  }

  async measureRound(): Promise<void> {
    globalThis.gc?.();
    const received = await this.#workload.wireRequests?.();
    const cpu = process.cpuUsage();
    const began = performance.now();
    await runOperations(this.#workload, this.#inFlight, this.#operations, this.#latencies);
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuMicroseconds = (user + system) / this.#operations;
    this.#rounds.push({
      operationsPerSecond: this.#operations / seconds,
      operationsPerCpuSecond: 1_000_000 / cpuMicroseconds,
      cpuMicroseconds,
    });
    this.#wireRequests += ((await this.#workload.wireRequests?.()) ?? 0) - (received ?? 0);
  }

  async finish(): Promise<Measurement> {
    const heldBytes = await this.#measureHeld();
    await this.#workload.close();
    const { name, version, settings } = this.#contestant;
    const operations = this.#operations * this.#rounds.length;
    return {
      contestant: name,
      version,
      settings,
      bytes: this.#bytes,
      inFlight: this.#inFlight,
      operationsPerSecond: spread(this.#rounds.map((round) => round.operationsPerSecond)),
      operationsPerCpuSecond: spread(this.#rounds.map((round) => round.operationsPerCpuSecond)),
      cpuMicroseconds: spread(this.#rounds.map((round) => round.cpuMicroseconds)),
      p50Microseconds: this.#latencies.percentile(50) / 1000,
      p99Microseconds: this.#latencies.percentile(99) / 1000,
      heldBytes,
      wireRequests: this.#workload.wireRequests === undefined ? undefined : this.#wireRequests / operations,
      rounds: this.#rounds,
    };
  }

  async #measureHeld(): Promise<number> {
    const before = memoryInUse();
    const results = await Promise.all(Array.from({ length: HELD }, (_, index) => this.#workload.run(index)));
    const held = memoryInUse() - before;
    return results.length === 0 ? 0 : Math.max(0, held / results.length);
  }
}

async function runOperations(
  workload: Workload,
  inFlight: number,
  operations: number,
  latencies: ReturnType<typeof createHistogram> | undefined,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < operations) {
      const index = next++;
      if (latencies === undefined || index % TIMED_EVERY !== 0) {
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

function memoryInUse(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Least, median and greatest of some numbers. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return { min: sorted[0] ?? 0, median: (low + high) / 2, max: sorted.at(-1) ?? 0 };
}
