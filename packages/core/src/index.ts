export * from './cache/index.js';
export { CORE_TABLE, NEGOTIATION_TABLE, type ReadConfig, readConfig } from './config/index.js';
export * from './container/index.js';
export * from './driver/index.js';
export * from './key/index.js';
export type { ErrorReporting, FailurePhase, Logger } from './resilience/index.js';
export { errorReporting } from './resilience/index.js';
export { openTelemetry } from './telemetry/index.js';
