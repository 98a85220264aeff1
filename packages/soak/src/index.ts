/**
 * Long runs that are judged at their end, for the tests of this package.
 * @module
 */
export type { HostMistake } from './host/mistake.js';
export { runCrashes } from './policy/crashes.js';
export { BRIEF_TABLE, type CellName, runFaultTable } from './policy/fault-table.js';
export { runDistinctKeys, runSimulatedHour } from './policy/memory-runs.js';
export { runSharing } from './policy/sharing.js';
export type { TableSettings } from './policy/table-cell.js';
export type { S3Definition } from './s3/s3-run.js';
export { soakS3 } from './s3/s3-soak.js';
export type { SoakResult } from './soak.js';
export { SOAKS } from './soaks.js';
