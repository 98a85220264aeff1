import { CACHE, CACHE_CHANNELS, cacheModule } from '@imgproxy-cache/core';
import { createNoopMeter, type Meter, type MetricOptions } from '@opentelemetry/api';
import { Container } from 'inversify';
import { describe, expect, it } from 'vitest';
import { quoted, referencePage, tableOf } from './reference-pages.js';

const page = referencePage('events-and-metrics');

/** A meter that notes which instruments are made with it: name, kind and unit. */
function notingMeter(): { readonly meter: Meter; readonly instruments: string[][] } {
  const instruments: string[][] = [];
  const meter = createNoopMeter();
  const note =
    <T>(kind: string, create: (name: string, options?: MetricOptions) => T) =>
    (name: string, options: MetricOptions = {}): T => {
      instruments.push([name, kind, options.unit ?? '']);
      return create(name, options);
    };
  meter.createCounter = note('counter', meter.createCounter);
  meter.createHistogram = note('histogram', meter.createHistogram);
  meter.createUpDownCounter = note('up-down counter', meter.createUpDownCounter);
  meter.createGauge = note('gauge', meter.createGauge);
  return { meter, instruments };
}

describe('the page of events and metrics', () => {
  it('has every instrument with its kind and unit, and no other', async () => {
    const { meter, instruments } = notingMeter();
    const container = new Container();
    container.load(await cacheModule({ env: {} }));
    container.rebind<Meter>(CACHE.Meter).toConstantValue(meter);
    await container.get(CACHE.ImageCache).close();
    const documented = tableOf(page, 'instrument').map(([name = '', kind, unit]) => [
      ...quoted(name),
      kind,
      unit,
    ]);
    expect(documented).toEqual(instruments);
  });

  it('has every channel, and no other', () => {
    const documented = tableOf(page, 'channel').flatMap(([name = '']) => quoted(name));
    expect(documented).toEqual(Object.values(CACHE_CHANNELS).map(({ name }) => name));
  });
});
