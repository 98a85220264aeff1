import { createImageCache, type FetchResult, type ImageCache } from '@imgproxy-cache/core';
import { answer } from '@imgproxy-cache/http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, LAST_MODIFIED } from './host.js';

const SIZE = 1000;
const DATE = Date.parse(LAST_MODIFIED);
const BODY = bytesOf(`/${SIZE}`);

let cache: ImageCache;
let tag: string;

beforeAll(async () => {
  cache = await createImageCache({ env: { IMGPROXY_CACHE_USE: 'memory' }, resolveFrom: import.meta.url });
  tag = (await answer('GET', {}, await image())).headers['ETag'] ?? '';
  expect(tag).toMatch(/^".+"$/);
});
afterAll(() => cache.close());

function image(): Promise<FetchResult> {
  return cache.fetch({ source: 'x' }, () => ({
    body: BODY,
    contentType: 'image/webp',
    lastModified: LAST_MODIFIED,
  }));
}

async function statusOf(headers: Record<string, string>): Promise<number> {
  return (await answer('GET', headers, await image())).status;
}

const position = fc.oneof(fc.nat(SIZE + 100), fc.nat());
const optionalPosition = fc.option(position, { nil: undefined });
const junk = fc.oneof(
  fc.string({ unit: 'binary-ascii' }),
  fc.stringMatching(/^(bytes)?=?[-0-9, ]{0,20}$/),
  fc.stringMatching(/^[W/"a, *]{0,20}$/),
);

test('a range gets the bytes that Buffer.subarray has', async () => {
  await fc.assert(
    fc.asyncProperty(position, optionalPosition, async (first, last) => {
      const { status, headers, body } = await answer(
        'GET',
        { range: `bytes=${first}-${last ?? ''}` },
        await image(),
      );
      if (last !== undefined && last < first) expect(status).toBe(200);
      else if (first >= SIZE) expect(status).toBe(416);
      else {
        const end = Math.min(last ?? SIZE, SIZE - 1);
        expect([status, headers['Content-Range']]).toEqual([206, `bytes ${first}-${end}/${SIZE}`]);
        expect(Buffer.from(body as Uint8Array)).toEqual(BODY.subarray(first, end + 1));
      }
    }),
  );
});

test('the last bytes are those that Buffer.subarray has', async () => {
  await fc.assert(
    fc.asyncProperty(position, async (length) => {
      const { status, body } = await answer('GET', { range: `bytes=-${length}` }, await image());
      expect(status).toBe(length === 0 ? 416 : 206);
      if (length > 0) expect(Buffer.from(body as Uint8Array)).toEqual(BODY.subarray(-length));
    }),
  );
});

test('a date in any format is compared as Date compares it', async () => {
  const dates = fc.date({
    min: new Date('1980-01-01'),
    max: new Date('2069-12-31'),
    noInvalidDate: true,
  });
  await fc.assert(
    fc.asyncProperty(dates, async (date) => {
      const seconds = Math.floor(date.getTime() / 1000) * 1000;
      const expected = DATE <= seconds ? 304 : 200;
      for (const text of [date.toUTCString(), asctime(date), rfc850(date)]) {
        expect(await statusOf({ 'if-modified-since': text }), text).toBe(expected);
      }
    }),
  );
});

test.each([
  ...['Tue, 31 Feb 2027 10:00:00 GMT', 'Tue, 1 Sep 2027 10:00:00 GMT', 'Tue, 01 Sep 2027 24:00:00 GMT'],
  ...['Tue, 01 Sep 2027 10:00:00 +0000', 'tue, 01 sep 2027 10:00:00 gmt', 'Tue, 01 Sep 2027 10:60:00 GMT'],
  ...['Tue, 01 Sep 2027 10:00:00 GMT, x', '1788256800', 'Tue, 01 Sep 12027 10:00:00 GMT'],
])('%s is no date', async (text) => {
  expect(await statusOf({ 'if-modified-since': text })).toBe(200);
});

test('a year of two digits is at most 50 years ahead', async () => {
  const year = new Date().getUTCFullYear();
  const digits = (ahead: number): string => String((year + ahead) % 100).padStart(2, '0');
  expect(await statusOf({ 'if-modified-since': `Tuesday, 01-Sep-${digits(40)} 10:00:00 GMT` })).toBe(304);
  expect(await statusOf({ 'if-modified-since': `Tuesday, 01-Sep-${digits(60)} 10:00:00 GMT` })).toBe(200);
});

test('a list matches if it has the tag, whatever its separators and other tags', async () => {
  const opaque = fc.stringMatching(/^[!#-~]{0,12}$/).map((text) => `"${text}"`);
  const item = fc.tuple(fc.boolean(), opaque).map(([weak, text]) => (weak ? `W/${text}` : text));
  const separator = fc.stringMatching(/^ {0,2},[ ,\t]{0,3}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(item, fc.constantFrom('TAG', 'W/TAG')), { minLength: 1 }),
      separator,
      async (items, comma) => {
        const list = items.join(comma).replaceAll('TAG', tag);
        const has = (wanted: readonly string[]): boolean => items.some((text) => wanted.includes(text));
        expect(await statusOf({ 'if-none-match': list }), list).toBe(has(['TAG', 'W/TAG']) ? 304 : 200);
        expect(await statusOf({ 'if-match': list }), list).toBe(has(['TAG']) ? 200 : 412);
      },
    ),
  );
});

test('no text in any field fails the answer', async () => {
  const names = [
    'range',
    'if-range',
    'if-match',
    'if-none-match',
    'if-modified-since',
    'if-unmodified-since',
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), junk, junk, async (name, text, range) => {
      const headers = name === 'range' ? { range: text } : { range, [name]: text };
      expect([200, 206, 304, 412, 416]).toContain(await statusOf(headers));
    }),
    { numRuns: 1000 },
  );
});

test('the time to read a field grows with its length and no faster', async () => {
  const fields = {
    'if-none-match': ['"a",', 'W/', ' ', ',', '"', '"a" '],
    'if-modified-since': ['Tue, ', '0', ' '],
    range: ['bytes=', '0', ' ', '0-,', '-'],
  };
  for (const [name, units] of Object.entries(fields)) {
    for (const unit of units) {
      const prefix = name === 'range' ? 'bytes=' : '';
      const [short, long] = [10_000, 160_000].map((length) => prefix + unit.repeat(length / unit.length));
      const shortTime = await timeOf({ [name]: short ?? '' });
      const longTime = await timeOf({ [name]: long ?? '' });
      // 16 times the text: a quadratic reader takes 256 times as long.
      expect(longTime / Math.max(shortTime, 0.05), `${name}: ${unit}`).toBeLessThan(100);
    }
  }
});

async function timeOf(headers: Record<string, string>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 5; run++) {
    const result = await image();
    const started = performance.now();
    await answer('GET', headers, result);
    times.push(performance.now() - started);
  }
  return Math.min(...times);
}

function asctime(date: Date): string {
  const [day = '', dayOfMonth = '', month, year, time] = date.toUTCString().split(' ');
  return `${day.slice(0, 3)} ${month} ${String(Number(dayOfMonth)).padStart(2)} ${time} ${year}`;
}

function rfc850(date: Date): string {
  const [, dayOfMonth, month, year = '', time] = date.toUTCString().split(' ');
  const day = date.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' });
  return `${day}, ${dayOfMonth}-${month}-${year.slice(-2)} ${time} GMT`;
}
