import { type Measurement, type Spread, spread } from './measure.js';
import type { Goal, Round } from './table.js';

/** A goal, and what became of it. */
export interface JudgedGoal {
  readonly text: string;
  readonly measured: Spread;
  readonly met: boolean;
}

/** Compares measurements with a table's goals: ratios are of the same round, and their median counts. */
export function judge(goals: readonly Goal[], measurements: readonly Measurement[]): JudgedGoal[] {
  return goals.flatMap((goal) => {
    const [ours, theirs] = [goal.contestant, goal.peer].map((name) => roundsOf(measurements, name, goal));
    if (ours === undefined || theirs === undefined) return [];
    const measured = spread(
      ours.map((round, index) => round[goal.figure] / (theirs[index]?.[goal.figure] ?? Number.NaN)),
    );
    const met = measured.median >= (goal.atLeast ?? -Infinity) && measured.median < (goal.below ?? Infinity);
    return [{ text: goalText(goal), measured, met }];
  });
}

const UNITS: Readonly<Record<Goal['figure'], string>> = {
  operationsPerSecond: 'operations a second',
  operationsPerCpuSecond: 'operations a second of CPU',
  cpuMicroseconds: 'CPU time',
};

function goalText({ contestant, peer, figure, bytes, inFlight, atLeast, below }: Goal): string {
  const bound = atLeast === undefined ? `below ${below}` : `at least ${atLeast}`;
  return `${contestant}, ${bytes} bytes, ${inFlight} in flight: ${UNITS[figure]}, divided by those of ${peer}, ${bound}`;
}

/** `undefined` where that cell was not measured. */
function roundsOf(
  measurements: readonly Measurement[],
  name: string,
  { bytes, inFlight }: Goal,
): readonly Round[] | undefined {
  return measurements.find(
    (measurement) =>
      measurement.contestant === name && measurement.bytes === bytes && measurement.inFlight === inFlight,
  )?.rounds;
}
