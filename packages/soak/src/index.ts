/**
 * Long runs that are judged at their end, for the tests of this package.
 * @module
 */
export { loadSoak, soakNames } from './known-soaks.js';
export { runCrashes } from './policy/crashes/crashes.js';
export type { HostMistake } from './policy/host/host-mistake.js';
export { runDistinctKeys } from './policy/memory/distinct-keys.js';
export { runSimulatedHour } from './policy/memory/simulated-hour.js';
export { runSharing } from './policy/sharing/sharing.js';
export { type CellName, runFaultTable } from './policy/table/fault-table.js';
export type { TableSettings } from './policy/table/table-cell.js';
export { BRIEF_TABLE } from './policy/table/table-settings.js';
export { soakS3 } from './s3/s3-soak.js';
export type { S3Definition } from './s3/test-bed.js';
export type { Judgement, Soak, SoakResult, SoakRun, SoakSummary } from './soak.js';
