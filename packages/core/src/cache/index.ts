export {
  type BreakerEvent,
  CACHE_CHANNELS,
  type CacheEvents,
  type CacheTelemetry,
  type CorruptEvent,
  type DriverReportEvent,
  type GuardedOperation,
  type LookupPart,
  type NotStoredEvent,
  type OperationEvent,
  type RequestEvent,
} from './cache-events.js';
export type { CacheHealth } from './cache-health.js';
export * from './cache-status.js';
export { CachedImage } from './cached-image.js';
export type { TierHealth } from './driver-health.js';
export { DriverReports } from './driver-reports.js';
export * from './fetch-result.js';
export * from './image-cache.js';
export * from './image-cache-parts.js';
export type { Render, Rendering } from './rendering.js';
