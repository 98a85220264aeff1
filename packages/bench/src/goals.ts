import { type Measurement, type Spread, spread } from './measure.js';
import type { Goal } from './table.js';

/** A goal, and what became of it. */
export interface JudgedGoal {
  readonly text: string;
  readonly measured: Spread;
  readonly met: boolean;
}

/** Holds a table's goals against its measurements: ratios are of the same round, and their median counts. */
export function judge(goals: readonly Goal[], measurements: readonly Measurement[]): JudgedGoal[] {
  return goals.map((goal) => {
    const ours = find(measurements, goal.contestant, goal);
    const values = ours.rounds.map((round, index) => {
      if (goal.peer === undefined) return round[goal.figure];
      const theirs = find(measurements, goal.peer, goal).rounds[index];
      return theirs === undefined ? Number.NaN : round[goal.figure] / theirs[goal.figure];
    });
    const measured = spread(values);
    const met = measured.median >= (goal.atLeast ?? -Infinity) && measured.median < (goal.below ?? Infinity);
    return { text: goalText(goal), measured, met };
  });
}

const UNITS: Readonly<Record<Goal['figure'], string>> = {
  operationsPerSecond: 'operations a second',
  operationsPerCpuSecond: 'operations a second of CPU',
  cpuMicroseconds: 'us of CPU an operation',
};

function goalText({ contestant, peer, figure, bytes, atLeast, below }: Goal): string {
  const unit = UNITS[figure];
  const subject = `${contestant}, ${bytes} bytes: ${unit}${peer === undefined ? '' : `, divided by those of ${peer}`}`;
  return `${subject}, ${atLeast === undefined ? `below ${below}` : `at least ${atLeast}`}`;
}

function find(measurements: readonly Measurement[], name: string, { bytes, inFlight }: Goal): Measurement {
  const found = measurements.find(
    (measurement) =>
      measurement.contestant === name && measurement.bytes === bytes && measurement.inFlight === inFlight,
  );
  if (found === undefined)
    throw new Error(`no measurement of ${name} with ${bytes} bytes and ${inFlight} in flight`);
  return found;
}
