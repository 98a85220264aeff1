import { readFileSync } from 'node:fs';
import { createImageCache } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  CacheError,
  type DriverContext,
  defineCacheDriver,
} from '@imgproxy-cache/core/driver';
import { FaultDriver } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { parser } from '@prometheus-io/lezer-promql';
import { beforeAll, describe, expect, test } from 'vitest';
import { repository } from './documents.js';

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const file = readFileSync(`${repository}docs/public/grafana-dashboard.json`, 'utf8');
const picture = readFileSync(`${repository}docs/public/dashboard.svg`, 'utf8');
const { panels } = JSON.parse(file) as { readonly panels: readonly Panel[] };
const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

/** What Prometheus reads of a cache: the labels of each metric. */
let exposed: ReadonlyMap<string, ReadonlySet<string>>;
beforeAll(async () => {
  exposed = labelsIn(await scrapeBusyCache());
});

describe.each(queries)('$title: $expr', ({ expr }) => {
  const query = parsed(expr);

  test('is PromQL', () => {
    expect(query.errors).toEqual([]);
    expect(query.metrics.length).toBeGreaterThan(0);
  });

  test('asks for metrics and labels that the code makes', () => {
    expect(query.metrics.filter((name) => !exposed.has(name))).toEqual([]);
    const labels = new Set(query.metrics.flatMap((name) => [...(exposed.get(name) ?? [])]));
    expect(query.labels.filter((label) => !labels.has(label))).toEqual([]);
  });
});

test('every metric of the cache is in a panel', () => {
  const shown = new Set(queries.flatMap(({ expr }) => parsed(expr).metrics).map(withoutSuffix));
  const made = [...exposed.keys()].filter((name) => name.startsWith('cache_')).map(withoutSuffix);
  expect([...new Set(made)].filter((name) => !shown.has(name))).toEqual([]);
});

test('the picture shows every panel with its first query', () => {
  const text = picture.replaceAll('&quot;', '"').replaceAll(/<[^>]*>|\s/g, '');
  for (const { title, targets } of panels) {
    expect(text).toContain(title.replaceAll(' ', ''));
    expect(text).toContain((targets[0]?.expr ?? '').replaceAll(' ', ''));
  }
});

/** The names in a query, and where it is no PromQL. Grafana's own variables are filled in. */
function parsed(expr: string) {
  const text = expr.replaceAll('$__rate_interval', '5m').replaceAll('$driver', '.*');
  const found = { metrics: [] as string[], labels: [] as string[], errors: [] as string[] };
  parser.parse(text).iterate({
    enter({ type, from, to }) {
      const words = text.slice(from, to);
      if (type.isError) found.errors.push(`at ${from}: ${text.slice(from)}`);
      else if (type.name === 'VectorSelector') found.metrics.push(/^\w+/.exec(words)?.[0] ?? '');
      else if (type.name === 'LabelName') found.labels.push(words);
    },
  });
  return found;
}

/** A histogram is exposed as several metrics. */
function withoutSuffix(name: string): string {
  return name.replace(/_(?:bucket|count|sum)$/, '');
}

function labelsIn(exposition: string): ReadonlyMap<string, ReadonlySet<string>> {
  const labels = new Map<string, Set<string>>();
  for (const line of exposition.split('\n')) {
    const [, name, list = ''] = /^([a-z_]\w*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const known = labels.get(name) ?? new Set();
    for (const [, label = ''] of list.matchAll(/(\w+)="/g)) known.add(label);
    labels.set(name, known);
  }
  return labels;
}

/** Has a cache do all that is counted, with the exporter that the guide shows. */
async function scrapeBusyCache(): Promise<string> {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
  let store = new FaultDriver(new MemoryDriver());
  let context: DriverContext | undefined;
  const driver = defineCacheDriver({
    name: 'tried',
    contract: 1,
    config: {},
    capabilities: { shared: false },
    create(_config, given): CacheDriver {
      context = given;
      store = new FaultDriver(new MemoryDriver());
      return store;
    },
  });
  const cache = await createImageCache({
    env: {
      IMGPROXY_CACHE_USE: 'tried',
      IMGPROXY_CACHE_REPORT_ERRORS: 'true',
      IMGPROXY_CACHE_STORE_QUEUE_MAX_BYTES: '100',
      IMGPROXY_CACHE_BREAKER_MIN_OPERATIONS: '1',
      IMGPROXY_CACHE_BREAKER_THRESHOLD: '0.01',
    },
    drivers: [driver],
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const get = async (source: string, size = 10, bypass = false) => {
    const { image } = await cache.fetch({ source, bypass }, () => ({
      body: new Uint8Array(size),
      contentType: 'image/png',
    }));
    await image.bytes();
  };
  await get('stored');
  await get('stored');
  await get('bypassed', 10, true);
  await get('too much for the queue', 1000);
  store.inject('body', { kind: 'corrupt' }, { times: 1 });
  await get('stored');
  context?.report({ kind: 'tried', level: 'debug', message: 'something happened' });
  store.inject('get', { kind: 'error', code: 'ERR_CACHE_UNAVAILABLE' });
  await expect(get('stored')).rejects.toBeInstanceOf(CacheError);
  const { resourceMetrics } = await exporter.collect();
  await cache.close();
  return new PrometheusSerializer().serialize(resourceMetrics);
}
