import type { SoakResult, SoakRun } from '../soak.js';
import { runCrashes } from './crashes.js';
import { BRIEF_CELLS, BRIEF_TABLE, FULL_TABLE, runFaultTable } from './fault-table.js';
import { runDistinctKeys, runSimulatedHour } from './memory-runs.js';
import { runSharing } from './sharing.js';

/** Operations for each host that is killed. */
const OPERATIONS_A_KILL = 500;
const FEWEST_KEYS = 20_000;
/** With fewer operations the run is short: step of the simulated hour, sharing of a store, and table. */
const FULL_FROM = 50_000;
const FULL = {
  step: 100,
  sharing: { duration: 60_000, maxSize: 64_000_000 },
  table: { settings: FULL_TABLE },
};
const BRIEF = {
  step: 500,
  sharing: { duration: 2500, maxSize: 16_000_000 },
  table: { settings: BRIEF_TABLE, cells: BRIEF_CELLS },
};

/** What the cache's policy promises under load and faults. */
export async function soakPolicy({ seed, operations, progress }: SoakRun): Promise<SoakResult> {
  const { step, sharing, table } = operations >= FULL_FROM ? FULL : BRIEF;
  const parts = [
    await runDistinctKeys({ seed, keys: Math.max(operations, FEWEST_KEYS) }),
    await runSimulatedHour({ seed, step }),
    await runCrashes({ seed, kills: Math.ceil(operations / OPERATIONS_A_KILL), progress }),
    await runSharing({ seed, ...sharing, progress }),
    await runFaultTable({ seed, ...table, progress }),
  ];
  const appendix = parts.flatMap((part) => part.appendix ?? []).join('\n\n');
  return {
    outcomes: parts.flatMap(({ outcomes }) => outcomes),
    judgements: parts.flatMap(({ judgements }) => judgements),
    appendix,
    figures: parts.flatMap(({ figures = [] }) => figures),
  };
}
