export type {
  BreakerEvent,
  CacheEvents,
  CacheTelemetry,
  CorruptEvent,
  DriverReportEvent,
  GuardedOperation,
  LookupPart,
  NotStoredEvent,
  OperationEvent,
  RequestEvent,
} from './cache-events.js';
export type { CacheHealth } from './cache-health.js';
export * from './cache-status.js';
export type { TierHealth } from './driver-health.js';
export { DriverReports } from './driver-reports.js';
export * from './fetch-result.js';
export * from './image-cache.js';
export * from './image-cache-parts.js';
export type { Render, Rendering } from './rendering.js';
