import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { testAuthorityFile } from 'fake-s3';
import type { Effort, Round, Table } from './table.js';

const LANE_PROCESS = new URL('lane-process.js', import.meta.url);

/** Least, middle and greatest of the rounds. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What the process of a contestant is started with. */
export interface LaneStart {
  readonly table: string;
  /** Its index in the table. */
  readonly contestant: number;
  readonly bytes: number;
  readonly inFlight: number;
  readonly roundMilliseconds: number;
  readonly scale: number;
}

/** What that process answers when it is ready, after each round, and at its end. */
export interface LaneReport {
  readonly rounds: readonly Round[];
  /** Percentiles of the latency so far, in microseconds. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** Requests that the store received for one operation, where it can tell. */
  readonly wireRequests: number | undefined;
  readonly done: boolean;
}

/** What was measured of one contestant at one size and concurrency. */
export interface Measurement extends LaneReport {
  readonly contestant: string;
  readonly version: string;
  readonly settings: string;
  readonly bytes: number;
  readonly inFlight: number;
}

/** Measures all contestants of a table, round by round in turn, so that a drifting machine is fair to all. */
export async function measureTable(
  table: Table,
  effort: Effort,
  progress: (text: string) => void,
): Promise<Measurement[]> {
  const cells = table.sizes.flatMap((bytes) => table.inFlight.map((inFlight) => ({ bytes, inFlight })));
  const measurements: Measurement[] = [];
  for (const cell of effort.scale < 1 ? cells.slice(-1) : cells) {
    progress(`${table.name}: ${cell.bytes} bytes, ${cell.inFlight} in flight`);
    measurements.push(...(await measureSideBySide(table, cell, effort)));
  }
  return measurements;
}

async function measureSideBySide(
  table: Table,
  cell: Pick<LaneStart, 'bytes' | 'inFlight'>,
  { rounds, roundMilliseconds, scale }: Effort,
): Promise<Measurement[]> {
  const lanes: Lane[] = [];
  try {
    for (const contestant of table.contestants.keys()) {
      const lane = new Lane();
      lanes.push(lane);
      await lane.ask({ table: table.name, contestant, ...cell, roundMilliseconds, scale });
    }
    for (let round = 0; round < rounds; round++) for (const lane of lanes) await lane.ask('round');
    const measurements: Measurement[] = [];
    for (const [index, { name, version, settings }] of table.contestants.entries()) {
      const report = await lanes[index]?.ask('end');
      if (report !== undefined)
        measurements.push({ ...report, ...cell, contestant: name, version, settings });
    }
    return measurements;
  } finally {
    for (const lane of lanes) lane.kill();
  }
}

/** The process of one contestant. */
class Lane {
  readonly #process: ChildProcess;

  constructor() {
    // Every client trusts the certificate of the fake S3.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: fileURLToPath(testAuthorityFile) };
    this.#process = fork(LANE_PROCESS, [], { execArgv: [], env });
  }

  async ask(order: LaneStart | 'round' | 'end'): Promise<LaneReport> {
    const answered = once(this.#process, 'message') as Promise<[LaneReport]>;
    const died = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`the process of a contestant ended with ${code}`);
    });
    this.#process.send(order);
    const [report] = await Promise.race([answered, died]);
    died.catch(() => undefined);
    return report;
  }

  kill(): void {
    this.#process.kill();
  }
}

/** The spread of one figure over the rounds. */
export function spreadOf({ rounds }: Pick<LaneReport, 'rounds'>, figure: keyof Round): Spread {
  return spread(rounds.map((round) => round[figure]));
}

/** Least, median and greatest of some numbers. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return { min: sorted[0] ?? 0, median: (low + high) / 2, max: sorted.at(-1) ?? 0 };
}
