import type { Meter } from '@opentelemetry/api';
import type { ServiceIdentifier } from 'inversify';
import type { ImageCache, ImageCacheSettings } from '../cache/index.js';
import type { CacheDriver, Clock } from '../driver/index.js';
import type { CacheKeyBuilder } from '../key/index.js';
import type { ErrorReporting, Logger } from '../policy/index.js';

const token = <T>(name: string): ServiceIdentifier<T> => Symbol.for(`@imgproxy-cache/core:${name}`);

/**
 * The parts of a cache in a container. Each can be rebound before the cache is first resolved:
 * `container.rebind(CACHE.Logger).toConstantValue(logger)`.
 */
export const CACHE = {
  /** The cache itself, a singleton. Unbinding it drains and closes it. */
  ImageCache: token<ImageCache>('ImageCache'),
  /**
   * The drivers that `IMGPROXY_CACHE_USE` chose, singletons: one binding for each tier, in the order in which they are
   * looked up (`container.getAll`); `undefined` where the cache is off. A host's own takes the place of all.
   */
  Driver: token<CacheDriver | undefined>('Driver'),
  /** Makes keys of requests. */
  KeyBuilder: token<CacheKeyBuilder>('KeyBuilder'),
  /** Decides which failures reach the host. */
  ErrorReporting: token<ErrorReporting>('ErrorReporting'),
  /** Limits and time-outs. */
  Settings: token<ImageCacheSettings>('Settings'),
  /** The only source of time. */
  Clock: token<Clock>('Clock'),
  /** Where the cache logs; default: lines on standard error. */
  Logger: token<Logger>('Logger'),
  /** Where metrics go; default: OpenTelemetry's global meter provider, at the time of the first resolution. */
  Meter: token<Meter>('Meter'),
} as const;
