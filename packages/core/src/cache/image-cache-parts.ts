import type { CacheDriver, Clock } from '../driver/index.js';
import type { CacheKeyBuilder } from '../key/index.js';
import type { ErrorReporting, Logger } from '../policy/index.js';
import type { CacheTelemetry } from './cache-events.js';
import type { DriverReports } from './driver-reports.js';

/** Limits of an `ImageCache`: what core's `IMGPROXY_CACHE_*` variables hold. */
export interface ImageCacheSettings {
  readonly lookupTimeoutSeconds: number;
  readonly storeTimeoutSeconds: number;
  readonly drainTimeoutSeconds: number;
  readonly logIntervalSeconds: number;
  readonly collapseTimeoutSeconds: number;
  /** 0: for ever. */
  readonly ttlSeconds: number;
  /** 0: as long as an entry lives. */
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

/** A driver with what is known about it. */
export interface NamedDriver {
  readonly name: string;
  readonly driver: CacheDriver;
  /** The largest body the driver takes, in bytes. */
  readonly maxEntryBytes?: number | undefined;
  /** Where the driver reports its events. */
  readonly reports?: DriverReports;
}

/** Everything an `ImageCache` is made of. The container binds each part to a token. */
export interface ImageCacheParts {
  /** The tiers, in the order in which they are looked up. None: the cache is off, and every request renders. */
  readonly drivers: readonly NamedDriver[];
  readonly keys: CacheKeyBuilder;
  readonly reporting: ErrorReporting;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: ImageCacheSettings;
  readonly telemetry?: CacheTelemetry;
}
