import { CACHE, cacheModule, type Environment, type ImageCache, type Logger } from '@imgproxy-cache/core';
import {
  BufferedEntry,
  CacheError,
  type Clock,
  type DriverContext,
  defineCacheDriver,
  systemClock,
} from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { metrics as globalMetrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Container } from 'inversify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bytesOf, REQUEST, renderer, served } from '../cache/cache-under-test.js';

/** OpenTelemetry's own SDK, and what it would export now. */
class Metrics {
  readonly #reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 3_600_000,
  });
  readonly #provider = new MeterProvider({ readers: [this.#reader] });
  readonly meter = this.#provider.getMeter('test');

  /** Values by instrument and attributes, such as `cache_hits_total driver=a`; of histograms the count. */
  async values(): Promise<Readonly<Record<string, number>>> {
    const { resourceMetrics } = await this.#reader.collect();
    return Object.fromEntries(
      resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [
            [descriptor.name, ...Object.entries(attributes).map((pair) => pair.join('='))].join(' '),
            typeof value === 'number' ? value : value.count,
          ]),
        ),
      ),
    );
  }

  /** The durations of one operation, with their unit. */
  async durationOf(operation: string): Promise<{ readonly unit: string; readonly histogram: Histogram }> {
    const { resourceMetrics } = await this.#reader.collect();
    for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)) {
      const point = dataPoints.find(({ attributes }) => attributes['operation'] === operation);
      if (descriptor.name === 'cache_operation_duration_seconds' && point !== undefined)
        return { unit: descriptor.unit, histogram: point.value as Histogram };
    }
    throw new Error(`no duration of ${operation} was recorded`);
  }

  async exported(): Promise<string> {
    return JSON.stringify((await this.#reader.collect()).resourceMetrics.scopeMetrics);
  }

  makeGlobal(): void {
    globalMetrics.setGlobalMeterProvider(this.#provider);
  }

  async shutdown(): Promise<void> {
    await this.#provider.shutdown();
  }
}

interface Observed {
  readonly cache: ImageCache;
  readonly driver: MemoryDriver;
  readonly report: DriverContext['report'];
}

function metricsOfTest(): Metrics {
  const metrics = new Metrics();
  onTestFinished(() => metrics.shutdown());
  return metrics;
}

/** A cache that stores before it serves, so that everything is counted once it has answered. */
async function observed(
  metrics: Metrics | undefined,
  env: Environment = {},
  name = 'test',
  clock: Clock = systemClock,
): Promise<Observed> {
  let report: DriverContext['report'] | undefined;
  const driver = new MemoryDriver();
  const container = new Container();
  container.load(
    await cacheModule({
      env: { IMGPROXY_CACHE_USE: name, IMGPROXY_CACHE_REPORT_ERRORS: 'true', ...env },
      drivers: [
        defineCacheDriver({
          name,
          contract: 1,
          config: {},
          capabilities: { shared: false },
          create(_config, context) {
            report = context.report;
            return driver;
          },
        }),
      ],
    }),
  );
  const ignore = (): void => undefined;
  container
    .rebind<Logger>(CACHE.Logger)
    .toConstantValue({ debug: ignore, info: ignore, warn: ignore, error: ignore });
  container.rebind(CACHE.Clock).toConstantValue(clock);
  if (metrics !== undefined) container.rebind(CACHE.Meter).toConstantValue(metrics.meter);
  const cache = container.get(CACHE.ImageCache);
  onTestFinished(() => container.unbindAllAsync());
  return { cache, driver, report: (event) => report?.(event) };
}

describe("the cache's instruments", () => {
  it("are made with the process's meter provider where the host binds no meter", async () => {
    const metrics = metricsOfTest();
    metrics.makeGlobal();
    onTestFinished(() => globalMetrics.disable());
    const { cache } = await observed(undefined);
    await served(cache.fetch({ ...REQUEST, bypass: true }, renderer()));
    expect(await metrics.values()).toEqual({ 'cache_bypasses_total driver=test': 1 });
  });

  it('are nothing before anything has happened', async () => {
    const metrics = metricsOfTest();
    await observed(metrics);
    expect(await metrics.values()).toEqual({});
  });

  it('count hits, misses, bypasses, stores and bytes', async () => {
    const metrics = metricsOfTest();
    const { cache } = await observed(metrics);
    await served(cache.fetch(REQUEST, renderer({ body: bytesOf(700) })));
    await served(cache.fetch(REQUEST, renderer()));
    await served(cache.fetch(REQUEST, renderer()));
    await served(cache.fetch({ ...REQUEST, bypass: true }, renderer()));
    expect(await metrics.values()).toEqual({
      'cache_misses_total driver=test': 1,
      'cache_hits_total driver=test': 2,
      'cache_bypasses_total driver=test': 1,
      'cache_stores_total driver=test': 1,
      'cache_bytes_total driver=test operation=put': 700,
      'cache_bytes_total driver=test operation=get': 1400,
      'cache_operation_duration_seconds driver=test operation=get': 3,
      'cache_operation_duration_seconds driver=test operation=put': 1,
    });
  });

  it('count images that were not stored, by reason, and those there was no room for', async () => {
    const metrics = metricsOfTest();
    const { cache } = await observed(metrics, {
      IMGPROXY_CACHE_MAX_ENTRY_SIZE: '2000',
      IMGPROXY_CACHE_STORE_QUEUE_MAX_BYTES: '500',
    });
    await served(cache.fetch(REQUEST, renderer({ body: bytesOf(2001) })));
    await served(cache.fetch(REQUEST, renderer({ store: false })));
    await served(cache.fetch(REQUEST, renderer({ body: bytesOf(501) })));
    expect(await metrics.values()).toMatchObject({
      'cache_not_stored_total driver=test reason=too-large': 1,
      'cache_not_stored_total driver=test reason=not-storable': 1,
      'cache_not_stored_total driver=test reason=queue-full': 1,
      'cache_dropped_total driver=test': 1,
      'cache_misses_total driver=test': 3,
    });
    expect(Object.keys(await metrics.values()).join()).not.toContain('cache_stores_total');
  });

  it('count images for which the memory was too full', async () => {
    const metrics = metricsOfTest();
    const { cache } = await observed(metrics, { IMGPROXY_CACHE_MAX_BYTES_IN_FLIGHT: '500' });
    await served(cache.fetch(REQUEST, renderer({ body: bytesOf(501) })));
    expect(await metrics.values()).toMatchObject({
      'cache_not_stored_total driver=test reason=bytes-in-flight': 1,
      'cache_dropped_total driver=test': 1,
    });
  });

  it('count failures by operation and code, and no store that failed', async () => {
    const metrics = metricsOfTest();
    const { cache, driver } = await observed(metrics, { IMGPROXY_CACHE_REPORT_ERRORS: 'false' });
    driver.put = async () => {
      throw new CacheError('ERR_CACHE_NO_SPACE', 'full');
    };
    await served(cache.fetch(REQUEST, renderer()));
    driver.get = async () => {
      throw new Error('not one of ours');
    };
    await served(cache.fetch(REQUEST, renderer()));
    const values = await metrics.values();
    expect(values).toMatchObject({
      'cache_errors_total driver=test operation=put code=ERR_CACHE_NO_SPACE': 1,
      'cache_errors_total driver=test operation=get code=ERR_CACHE_DRIVER_CONTRACT': 1,
      'cache_operation_duration_seconds driver=test operation=put': 1,
      'cache_operation_duration_seconds driver=test operation=get': 2,
    });
    expect(Object.keys(values).filter((key) => /^cache_(?:stores|bytes)_total/.test(key))).toEqual([]);
  });

  it('count corrupt entries as such and not as failures', async () => {
    const metrics = metricsOfTest();
    const { cache, driver } = await observed(metrics);
    await served(cache.fetch(REQUEST, renderer()));
    const [name = ''] = driver.names;
    const entry = driver.peek(name);
    driver.get = async () => entry && new BufferedEntry(entry.metadata, bytesOf(1000, 9), false);
    await served(cache.fetch(REQUEST, renderer()));
    const values = await metrics.values();
    expect(values).toMatchObject({
      'cache_corrupt_total driver=test': 1,
      'cache_misses_total driver=test': 2,
    });
    expect(Object.keys(values).join()).not.toContain('cache_errors_total');
  });

  it("count the driver's events by kind", async () => {
    const metrics = metricsOfTest();
    const { report } = await observed(metrics);
    report({ kind: 'retry', level: 'debug', message: 'https://example.com/?secret' });
    report({ kind: 'retry', level: 'debug', message: 'again' });
    report({ kind: 'region-learned', level: 'info', message: 'eu-west-1' });
    expect(await metrics.values()).toEqual({
      'cache_driver_events_total driver=test kind=retry': 2,
      'cache_driver_events_total driver=test kind=region-learned': 1,
    });
  });

  it("do not count another cache's events, of the same driver or another", async () => {
    const [first, second] = [metricsOfTest(), metricsOfTest()];
    const one = await observed(first);
    const two = await observed(second);
    const three = await observed(first, {}, 'other');
    await served(one.cache.fetch(REQUEST, renderer()));
    await served(three.cache.fetch({ ...REQUEST, bypass: true }, renderer()));
    expect(await second.values()).toEqual({});
    await served(two.cache.fetch({ ...REQUEST, bypass: true }, renderer()));
    expect(await second.values()).toEqual({ 'cache_bypasses_total driver=test': 1 });
    const values = await first.values();
    expect(values['cache_misses_total driver=test']).toBe(1);
    expect(values['cache_bypasses_total driver=other']).toBe(1);
    expect(values['cache_bypasses_total driver=test']).toBeUndefined();
  });

  it('count nothing after close', async () => {
    const metrics = metricsOfTest();
    const { cache, report } = await observed(metrics);
    await served(cache.fetch(REQUEST, renderer()));
    await cache.close();
    const before = await metrics.values();
    expect(before['cache_operation_duration_seconds driver=test operation=close']).toBe(1);
    await served(cache.fetch(REQUEST, renderer()));
    report({ kind: 'late', level: 'debug', message: 'late' });
    expect(await metrics.values()).toEqual(before);
  });

  it('hold no source, name, header, cookie, tag or message', async () => {
    const metrics = metricsOfTest();
    const { cache, driver, report } = await observed(metrics, {
      IMGPROXY_CACHE_KEY_HEADERS: 'x-tenant',
      IMGPROXY_CACHE_KEY_COOKIES: 'plan',
    });
    const request = {
      ...REQUEST,
      headers: { 'x-tenant': 'hunter2' },
      cookies: { plan: 'hunter3' },
      tags: ['hunter4'],
    };
    await served(cache.fetch(request, renderer({ etag: '"hunter5"' })));
    report({ kind: 'retry', level: 'info', message: 'hunter6' });
    driver.get = async () => {
      throw new CacheError('ERR_CACHE_TIMEOUT', 'hunter7', { cause: new Error('hunter8') });
    };
    await cache.fetch(request, renderer()).catch(() => undefined);
    const exported = await metrics.exported();
    expect(exported).toContain('cache_errors_total');
    expect(exported).not.toMatch(/hunter|example\.com|v1\/|webp/);
  });

  it('measure durations in seconds, in buckets from half a millisecond to ten seconds', async () => {
    const metrics = metricsOfTest();
    let time = 0;
    const clock: Clock = { ...systemClock, monotonic: () => time };
    const { cache, driver } = await observed(metrics, {}, 'test', clock);
    driver.get = async () => {
      time += 40;
      return undefined;
    };
    await served(cache.fetch(REQUEST, renderer()));
    const { unit, histogram } = await metrics.durationOf('get');
    expect(unit).toBe('s');
    expect(histogram.sum).toBeCloseTo(0.04);
    const { boundaries, counts } = histogram.buckets;
    expect(boundaries.at(0)).toBe(0.0005);
    expect(boundaries.at(-1)).toBe(10);
    expect(counts[boundaries.indexOf(0.05)]).toBe(1);
  });
});
