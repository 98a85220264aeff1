/**
 * Everything that a host may import. What only drivers need is in `@imgproxy-cache/core/driver`.
 * @module
 */
export {
  type BreakerEvent,
  CACHE_CHANNELS,
  type CacheEvents,
  type CorruptEvent,
  type DriverReportEvent,
  type GuardedOperation,
  type LookupPart,
  type NotStoredEvent,
  type OperationEvent,
  type RequestEvent,
} from './cache/cache-events.js';
export type { CacheHealth } from './cache/cache-health.js';
export {
  type CacheOutcome,
  CacheStatus,
  type CacheStatusDetail,
  type NotStoredReason,
} from './cache/cache-status.js';
export type { CachedImage } from './cache/cached-image.js';
export type { TierHealth } from './cache/driver-health.js';
export type { CacheRequest, FetchResult } from './cache/fetch-result.js';
export { type CacheLoad, ImageCache } from './cache/image-cache.js';
export type { ImageCacheSettings } from './cache/image-cache-parts.js';
export type { Render, Rendering } from './cache/rendering.js';
export { CORE_TABLE } from './config/core-table.js';
export { NEGOTIATION_TABLE } from './config/negotiation-table.js';
export { type ReadConfig, readConfig } from './config/read-config.js';
export type { CacheOptions } from './container/cache-configuration.js';
export { cacheModule } from './container/cache-module.js';
export { type CreateImageCacheOptions, createImageCache } from './container/create-image-cache.js';
export { CACHE } from './container/tokens.js';
export { CacheError, isCacheError } from './driver/cache-error.js';
export type { Environment } from './driver/config-table.js';
export { type CacheKey, CacheKeyBuilder, type KeySettings } from './key/cache-key-builder.js';
export type { ImageIdentity, NegotiableFormat, OptionPair } from './key/cache-request.js';
export type { EntryNames } from './key/entry-names.js';
export { type NegotiationSettings, negotiate } from './key/negotiate.js';
export type { RequestCookies } from './key/request-cookies.js';
export type { HeaderValue, RequestHeaders } from './key/request-headers.js';
export { type ErrorReporting, errorReporting, type FailurePhase } from './resilience/error-reporting.js';
export type { Logger } from './resilience/logger.js';
