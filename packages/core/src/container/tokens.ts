import type { Meter } from '@opentelemetry/api';
import type { ServiceIdentifier } from 'inversify';
import type { ImageCache } from '../cache/image-cache.js';
import type { ImageCacheSettings } from '../cache/image-cache-parts.js';
import type { CacheDriver, Clock } from '../driver/index.js';
import type { CacheKeyBuilder } from '../key/cache-key-builder.js';
import type { ErrorReporting } from '../resilience/error-reporting.js';
import type { Logger } from '../resilience/logger.js';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`@imgproxy-cache/core:${name}`);

/**
 * The parts of a cache in a container. Each can be rebound before the cache is first resolved:
 * `container.rebind(CACHE.Logger).toConstantValue(logger)`.
 */
export const CACHE = {
  /** The cache, a singleton. Unbinding it drains and closes it. */
  ImageCache: token<ImageCache>('ImageCache'),
  /**
   * The drivers of `IMGPROXY_CACHE_USE`, singletons: one binding per tier, in look-up order (`container.getAll`);
   * `undefined` if the cache is off. A driver that the host binds replaces all of them.
   */
  Driver: token<CacheDriver | undefined>('Driver'),
  /** Builds the keys of requests. */
  KeyBuilder: token<CacheKeyBuilder>('KeyBuilder'),
  /** Decides which failures fail a request or the start. */
  ErrorReporting: token<ErrorReporting>('ErrorReporting'),
  /** Limits and time-outs. */
  Settings: token<ImageCacheSettings>('Settings'),
  /** The only source of time. */
  Clock: token<Clock>('Clock'),
  /** The logger. Default: lines on standard error. */
  Logger: token<Logger>('Logger'),
  /** The target of metrics. Default: OpenTelemetry's global meter provider at the first resolution. */
  Meter: token<Meter>('Meter'),
} as const;
