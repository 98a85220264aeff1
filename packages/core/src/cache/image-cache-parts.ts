import type { CacheDriver, Clock } from '../driver/index.js';
import type { CacheKeyBuilder } from '../key/cache-key-builder.js';
import type { ErrorReporting } from '../resilience/error-reporting.js';
import type { Logger } from '../resilience/logger.js';
import type { CacheTelemetry } from './cache-events.js';
import type { DriverReports } from './driver-reports.js';

/** The limits of an `ImageCache`: the values of core's `IMGPROXY_CACHE_*` variables. */
export interface ImageCacheSettings {
  readonly lookupTimeoutSeconds: number;
  readonly storeTimeoutSeconds: number;
  readonly drainTimeoutSeconds: number;
  readonly logIntervalSeconds: number;
  readonly collapseTimeoutSeconds: number;
  /** 0: for ever. */
  readonly ttlSeconds: number;
  /** 0: until an entry expires. */
  readonly tierTtlSeconds: number;
  /** Share of failed or slow operations; 0: the breakers never open. */
  readonly breakerThreshold: number;
  readonly breakerWindowSeconds: number;
  readonly breakerMinOperations: number;
  readonly breakerRetrySeconds: number;
  readonly breakerMaxRetrySeconds: number;
  /** In bytes. */
  readonly maxEntrySize: number;
  /** In bytes. */
  readonly verifyBytes: number;
  readonly maxBytesInFlight: number;
  readonly queueMaxBytes: number;
  readonly queueMaxEntries: number;
  readonly storeConcurrency: number;
}

/** A driver with its name and limits. */
export interface NamedDriver {
  readonly name: string;
  readonly driver: CacheDriver;
  /** The largest body that the driver accepts, in bytes. */
  readonly maxEntryBytes?: number | undefined;
  /** The events that the driver reports. */
  readonly reports?: DriverReports;
}

/** The parts of an `ImageCache`. The container binds each to a token. */
export interface ImageCacheParts {
  /** The tiers, in look-up order. None: the cache is off, and every request renders. */
  readonly drivers: readonly NamedDriver[];
  readonly keys: CacheKeyBuilder;
  readonly reporting: ErrorReporting;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: ImageCacheSettings;
  readonly telemetry?: CacheTelemetry;
}
