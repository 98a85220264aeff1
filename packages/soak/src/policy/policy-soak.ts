import type { SoakResult, SoakRun } from '../soak.js';
import { runCrashes } from './crashes/crashes.js';
import { runDistinctKeys } from './memory/distinct-keys.js';
import { runSimulatedHour } from './memory/simulated-hour.js';
import { runSharing } from './sharing/sharing.js';
import { isBrief, runFaultTable } from './table/fault-table.js';
import { BRIEF_TABLE, FULL_TABLE } from './table/table-settings.js';

/** Operations for each host that is killed. */
const OPERATIONS_A_KILL = 500;
/** Below so many the table is cut to what every kind of fault needs. */
const FULL_FROM = 50_000;
const FEWEST_KEYS = 20_000;
/** How much time passes between requests in the simulated hour, in milliseconds. */
const STEP = { full: 100, brief: 500 };
/** How long hosts share a store, in milliseconds. */
const SHARING = {
  full: { duration: 60_000, maxSize: 64_000_000 },
  brief: { duration: 2500, maxSize: 16_000_000 },
};

/** What the policy promises under load and faults, one part after the other. */
export async function soakPolicy({ seed, operations, progress }: SoakRun): Promise<SoakResult> {
  const isFull = operations >= FULL_FROM;
  const parts = [
    await runDistinctKeys({ seed, keys: Math.max(operations, FEWEST_KEYS) }),
    await runSimulatedHour({ seed, step: isFull ? STEP.full : STEP.brief }),
    await runCrashes({ seed, kills: Math.ceil(operations / OPERATIONS_A_KILL), progress }),
    await runSharing({ seed, ...(isFull ? SHARING.full : SHARING.brief), progress }),
    await runFaultTable({
      seed,
      ...(!isFull && { cells: isBrief }),
      settings: isFull ? FULL_TABLE : BRIEF_TABLE,
      progress,
    }),
  ];
  const appendix = parts.flatMap((part) => part.appendix ?? []).join('\n\n');
  return {
    outcomes: parts.flatMap(({ outcomes }) => outcomes),
    judgements: parts.flatMap(({ judgements }) => judgements),
    appendix,
    figures: parts.flatMap(({ figures = [] }) => figures),
  };
}
