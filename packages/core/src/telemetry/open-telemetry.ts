import type { Meter } from '@opentelemetry/api';
import { CACHE_CHANNELS, type CacheEvents, type CacheTelemetry } from '../cache/cache-events.js';

/**
 * Records a cache's events with OpenTelemetry instruments. The counters of hits and misses have imgproxy's names. No
 * attribute holds a URL, a header, a cookie or an entry's name.
 */
export function openTelemetry(meter: Meter): CacheTelemetry {
  const hits = meter.createCounter('cache_hits_total', { description: 'Requests served from the cache' });
  const misses = meter.createCounter('cache_misses_total', {
    description: 'Requests rendered after a look-up',
  });
  const bypasses = meter.createCounter('cache_bypasses_total', {
    description: 'Requests rendered without a look-up',
  });
  const stores = meter.createCounter('cache_stores_total', { description: 'Images stored' });
  const notStored = meter.createCounter('cache_not_stored_total', {
    description: 'Rendered images not stored, by reason',
  });
  const dropped = meter.createCounter('cache_dropped_total', {
    description: 'Rendered images not stored because the queue or the memory for them was full',
  });
  const errors = meter.createCounter('cache_errors_total', {
    description: 'Failures of the driver, by operation and code',
  });
  const corrupt = meter.createCounter('cache_corrupt_total', {
    description: 'Entries found that are not what was stored',
  });
  const suspended = meter.createUpDownCounter('cache_breakers_open', {
    description:
      'Breakers that are open: finding (get), reading (read) or streaming (stream) an entry, or storing (put)',
  });
  const reports = meter.createCounter('cache_driver_events_total', {
    description: 'Events of the driver, by kind',
  });
  const bytes = meter.createCounter('cache_bytes_total', {
    description: 'Bytes of images read and written',
    unit: 'By',
  });
  const duration = meter.createHistogram('cache_operation_duration_seconds', {
    description: "Duration of the driver's operations",
    unit: 's',
    advice: {
      explicitBucketBoundaries: [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
      ],
    },
  });

  const observe: { readonly [Channel in keyof CacheEvents]: (event: CacheEvents[Channel]) => void } = {
    'imgproxy-cache:request': ({ driver, status }) => {
      if (status.hit) hits.add(1, { driver });
      else if (status.forward === 'miss') misses.add(1, { driver });
      else bypasses.add(1, { driver });
    },
    'imgproxy-cache:operation': ({ driver, operation, code, duration: milliseconds, bytes: size }) => {
      duration.record(milliseconds / 1000, { driver, operation });
      if (code !== undefined) errors.add(1, { driver, operation, code });
      else if (operation === 'put') stores.add(1, { driver });
      if (size > 0) bytes.add(size, { driver, operation });
    },
    'imgproxy-cache:not-stored': ({ driver, reason }) => {
      notStored.add(1, { driver, reason });
      if (reason === 'queue-full' || reason === 'bytes-in-flight') dropped.add(1, { driver });
    },
    'imgproxy-cache:corrupt': ({ driver }) => corrupt.add(1, { driver }),
    'imgproxy-cache:breaker': ({ driver, operation, state, previous }) => {
      if (previous === 'closed') suspended.add(1, { driver, operation });
      else if (state === 'closed') suspended.add(-1, { driver, operation });
    },
    'imgproxy-cache:driver': ({ driver, event }) => reports.add(1, { driver, kind: event.kind }),
  };

  return {
    observe(cache) {
      const subscriptions = Object.values(CACHE_CHANNELS).map((channel) => {
        const record = observe[channel.name as keyof CacheEvents] as (event: unknown) => void;
        const listener = (event: unknown): void => {
          if ((event as { readonly cache: object }).cache === cache) record(event);
        };
        channel.subscribe(listener);
        return () => channel.unsubscribe(listener);
      });
      return () => {
        for (const unsubscribe of subscriptions) unsubscribe();
      };
    },
  };
}
