import { describe, expect, test } from 'vitest';
import { bytesOf, Host, LAST_MODIFIED, type Received, VERIFY_BYTES } from './host.js';

const BODY = '/1000';
const LARGE = `/${VERIFY_BYTES + 1}`;
const LARGE_STREAM = `/stream/${VERIFY_BYTES + 1}`;
const [LATER, EARLIER] = ['Wed, 02 Sep 2026 10:00:00 GMT', 'Mon, 31 Aug 2026 10:00:00 GMT'];

type Headers = Record<string, string | string[]>;
interface Requirement {
  readonly section: string;
  readonly says: string;
  readonly path?: string;
  readonly method?: string;
  /** `ETAG` stands for the image's own tag. */
  readonly headers?: Headers;
  readonly env?: Record<string, string>;
  /** Whether the image is in the cache before. Default: true. */
  readonly cached?: boolean;
  readonly status: number;
  /** Expected fields; `undefined`: absent. */
  readonly fields?: Record<string, unknown>;
  readonly body?: (whole: Buffer) => Buffer;
}

const whole = (bytes: Buffer): Buffer => bytes;
const nothing = (): Buffer => Buffer.alloc(0);
const part =
  (first: number, last: number) =>
  (bytes: Buffer): Buffer =>
    bytes.subarray(first, last + 1);

const REQUIREMENTS: readonly Requirement[] = [
  {
    section: 'RFC 9110, 8.6',
    says: 'Content-Length is the length of the body',
    status: 200,
    fields: { 'content-length': '1000', 'content-type': 'image/webp' },
    body: whole,
  },
  {
    section: 'RFC 9110, 8.8.2',
    says: 'Last-Modified is an IMF-fixdate',
    status: 200,
    fields: { 'last-modified': LAST_MODIFIED },
  },
  {
    section: 'RFC 9110, 8.8.3',
    says: "the tag is strong, and not the source's",
    status: 200,
    fields: { etag: expect.stringMatching(/^"[0-9a-z-]+"$/) },
  },
  {
    section: 'RFC 9110, 8.8.3',
    says: 'a miss in a small stream has a tag, too',
    path: '/stream/5000',
    cached: false,
    status: 200,
    fields: { etag: expect.any(String), 'content-length': '5000' },
    body: whole,
  },
  {
    section: 'RFC 9110, 8.8.3',
    says: 'a miss in a large stream has none, since its bytes are not known yet',
    path: LARGE_STREAM,
    cached: false,
    env: { IMGPROXY_CACHE_REPORT_ERRORS: 'false' },
    status: 200,
    fields: { etag: undefined, 'content-length': undefined },
    body: whole,
  },
  {
    section: 'RFC 9110, 9.3.2',
    says: 'HEAD has the fields of GET and no body',
    method: 'HEAD',
    status: 200,
    fields: {
      'content-length': '1000',
      'content-type': 'image/webp',
      etag: expect.any(String),
      'accept-ranges': 'bytes',
      'last-modified': LAST_MODIFIED,
    },
    body: nothing,
  },
  {
    section: 'RFC 9110, 13.1.1',
    says: 'If-Match with the tag',
    headers: { 'if-match': '"x", ETAG' },
    status: 200,
    body: whole,
  },
  { section: 'RFC 9110, 13.1.1', says: 'If-Match: *', headers: { 'if-match': '*' }, status: 200 },
  {
    section: 'RFC 9110, 13.1.1',
    says: 'If-Match with another tag',
    headers: { 'if-match': '"x"' },
    status: 412,
    fields: { 'cache-control': 'no-store' },
  },
  {
    section: 'RFC 9110, 13.1.1',
    says: 'If-Match compares strongly',
    headers: { 'if-match': 'W/ETAG' },
    status: 412,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'If-None-Match with the tag',
    headers: { 'if-none-match': 'ETAG' },
    status: 304,
    body: nothing,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'If-None-Match with a list',
    headers: { 'if-none-match': '"a,b" , W/"c",, ETAG' },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'If-None-Match in several lines is one list',
    headers: { 'if-none-match': ['"x"', 'ETAG'] },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'If-None-Match compares weakly',
    headers: { 'if-none-match': 'W/ETAG' },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'If-None-Match: * for an image that exists',
    headers: { 'if-none-match': '*' },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'If-None-Match without the tag',
    headers: { 'if-none-match': '"x"' },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'HEAD with If-None-Match',
    method: 'HEAD',
    headers: { 'if-none-match': 'ETAG' },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.2',
    says: 'a malformed list matches nothing',
    headers: { 'if-none-match': 'ETAG, x' },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'If-Modified-Since with the date',
    headers: { 'if-modified-since': LAST_MODIFIED },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'If-Modified-Since with a later date',
    headers: { 'if-modified-since': LATER },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'If-Modified-Since with an earlier date',
    headers: { 'if-modified-since': EARLIER },
    status: 200,
  },
  {
    section: 'RFC 9110, 5.6.7',
    says: 'a date in the format of RFC 850',
    headers: { 'if-modified-since': 'Tuesday, 01-Sep-26 10:00:00 GMT' },
    status: 304,
  },
  {
    section: 'RFC 9110, 5.6.7',
    says: 'a date in the format of asctime',
    headers: { 'if-modified-since': 'Tue Sep  1 10:00:00 2026' },
    status: 304,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'an invalid date is ignored',
    headers: { 'if-modified-since': '2026-09-02' },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'several dates are ignored',
    headers: { 'if-modified-since': [LATER, LATER] },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'a date is ignored beside If-None-Match',
    headers: { 'if-none-match': '"x"', 'if-modified-since': LATER },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.1.3',
    says: 'a date is ignored for an image that has none',
    path: '/undated',
    headers: { 'if-modified-since': LATER },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.1.4',
    says: 'If-Unmodified-Since with an earlier date',
    headers: { 'if-unmodified-since': EARLIER },
    status: 412,
  },
  {
    section: 'RFC 9110, 13.1.4',
    says: 'If-Unmodified-Since with the date',
    headers: { 'if-unmodified-since': LAST_MODIFIED },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.2.2',
    says: 'If-Unmodified-Since is ignored beside If-Match',
    headers: { 'if-match': 'ETAG', 'if-unmodified-since': EARLIER },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.2.2',
    says: 'If-Match comes before If-None-Match',
    headers: { 'if-match': '"x"', 'if-none-match': 'ETAG' },
    status: 412,
  },
  {
    section: 'RFC 9110, 13.2.2',
    says: 'If-None-Match comes before Range',
    headers: { 'if-none-match': 'ETAG', range: 'bytes=0-9' },
    status: 304,
  },
  {
    section: 'RFC 9110, 15.4.5',
    says: '304 has the tag, Cache-Control and Vary, and no other metadata',
    headers: { 'if-none-match': 'ETAG' },
    status: 304,
    fields: {
      etag: expect.any(String),
      'cache-control': expect.stringMatching(/^max-age=3600/),
      'content-type': undefined,
      'content-length': undefined,
      'last-modified': undefined,
      date: expect.any(String),
    },
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'one range',
    headers: { range: 'bytes=10-19' },
    status: 206,
    fields: {
      'content-range': 'bytes 10-19/1000',
      'content-length': '10',
      etag: expect.any(String),
      'content-type': 'image/webp',
    },
    body: part(10, 19),
  },
  {
    section: 'RFC 9110, 14.1.2',
    says: 'a range without an end',
    headers: { range: 'bytes=990-' },
    status: 206,
    body: part(990, 999),
  },
  {
    section: 'RFC 9110, 14.1.2',
    says: 'a range past the end is cut',
    headers: { range: 'bytes=990-99999999999999999999999' },
    status: 206,
    fields: { 'content-range': 'bytes 990-999/1000' },
    body: part(990, 999),
  },
  {
    section: 'RFC 9110, 14.1.2',
    says: 'the last bytes',
    headers: { range: 'bytes=-10' },
    status: 206,
    body: part(990, 999),
  },
  {
    section: 'RFC 9110, 14.1.2',
    says: 'more last bytes than there are',
    headers: { range: 'bytes=-5000' },
    status: 206,
    body: whole,
  },
  {
    section: 'RFC 9110, 14.1',
    says: 'the unit ignores case',
    headers: { range: 'BYTES=0-0' },
    status: 206,
    body: part(0, 0),
  },
  {
    section: 'RFC 9110, 15.5.17',
    says: 'a range behind the end',
    headers: { range: 'bytes=1000-' },
    status: 416,
    fields: { 'content-range': 'bytes */1000', 'cache-control': 'no-store' },
  },
  {
    section: 'RFC 9110, 15.5.17',
    says: 'the last 0 bytes',
    headers: { range: 'bytes=-0' },
    status: 416,
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'a range whose end is before its beginning is ignored',
    headers: { range: 'bytes=5-4' },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'another unit is ignored',
    headers: { range: 'lines=0-4' },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'several ranges get the whole',
    headers: { range: 'bytes=0-1,5-6' },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'Range in two lines is ignored',
    headers: { range: ['bytes=0-1', 'bytes=5-6'] },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'Range is defined for GET alone',
    method: 'HEAD',
    headers: { range: 'bytes=0-1' },
    status: 200,
    fields: { 'content-length': '1000' },
  },
  {
    section: 'RFC 9110, 14.3',
    says: 'Accept-Ranges',
    status: 200,
    fields: { 'accept-ranges': 'bytes' },
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'a large body is always served whole',
    path: LARGE,
    headers: { range: 'bytes=0-1' },
    status: 200,
    fields: { 'accept-ranges': undefined, 'content-length': String(VERIFY_BYTES + 1) },
    body: whole,
  },
  {
    section: 'RFC 9110, 14.2',
    says: 'a miss has ranges, too',
    cached: false,
    headers: { range: 'bytes=0-1' },
    status: 206,
    body: part(0, 1),
  },
  {
    section: 'RFC 9110, 13.1.5',
    says: 'If-Range with the tag',
    headers: { range: 'bytes=0-1', 'if-range': 'ETAG' },
    status: 206,
    body: part(0, 1),
  },
  {
    section: 'RFC 9110, 13.1.5',
    says: 'If-Range with a weak tag',
    headers: { range: 'bytes=0-1', 'if-range': 'W/ETAG' },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 13.1.5',
    says: 'If-Range with another tag',
    headers: { range: 'bytes=0-1', 'if-range': '"x"' },
    status: 200,
  },
  {
    section: 'RFC 9110, 13.1.5',
    says: 'If-Range with a date never matches',
    headers: { range: 'bytes=0-1', 'if-range': LAST_MODIFIED },
    status: 200,
    body: whole,
  },
  {
    section: 'RFC 9110, 13.1.5',
    says: 'If-Range that does not match: no 416 either',
    headers: { range: 'bytes=5000-', 'if-range': '"x"' },
    status: 200,
  },
  {
    section: 'RFC 9110, 15.5.6',
    says: 'another method',
    method: 'POST',
    status: 405,
    fields: { allow: 'GET, HEAD', 'cache-control': 'no-store' },
  },
  {
    section: 'RFC 9110, 12.5.3',
    says: 'Accept-Encoding that forbids every coding is disregarded',
    headers: { 'accept-encoding': 'identity;q=0, *;q=0' },
    status: 200,
    fields: { 'content-encoding': undefined },
    body: whole,
  },
  {
    section: 'RFC 9111, 5.1',
    says: 'no Age on a hit, whose max-age counts from the answer',
    status: 200,
    fields: { age: undefined, 'cache-control': 'max-age=3600, public' },
  },
  {
    section: 'RFC 9111, 5.2.2.5',
    says: 'a rendering for one request is not to be stored',
    path: '/private',
    cached: false,
    status: 200,
    fields: { 'cache-control': 'no-store' },
  },
  {
    section: 'RFC 9211, 2.1',
    says: 'Cache-Status of a hit',
    status: 200,
    fields: { 'cache-status': 'imgproxy-cache; hit' },
  },
  {
    section: 'RFC 9211, 2.2',
    says: 'Cache-Status of a miss',
    cached: false,
    status: 200,
    fields: { 'cache-status': 'imgproxy-cache; fwd=miss; stored' },
  },
];

describe.each(['node', 'fetch'] as const)('adapter %s', (adapter) => {
  test.each(REQUIREMENTS)('$section: $says', async (requirement) => {
    const { path = BODY, method = 'GET', cached = true, env = {}, status, fields = {}, body } = requirement;
    await using host = await Host.start({ adapter, env });
    if (cached) await host.ask(path);
    const received = await host.ask(path, await withTag(requirement, adapter), method);

    expect(received.status, String(received.body)).toBe(status);
    for (const [name, value] of Object.entries(fields)) expect(received.headers[name], name).toEqual(value);
    if (body !== undefined) expect(Buffer.compare(received.body, body(bytesOf(path)))).toBe(0);
    if (status === 304 || method === 'HEAD') expect(received.body.length).toBe(0);
  });
});

/** The request's fields with the image's tag, which another host tells: the same on every host. */
async function withTag(
  { path = BODY, headers = {} }: Requirement,
  adapter: 'node' | 'fetch',
): Promise<Headers> {
  if (!JSON.stringify(headers).includes('ETAG')) return headers;
  await using other = await Host.start({ adapter });
  const { headers: fields }: Received = await other.ask(path);
  const tag = fields['etag'] ?? '';
  expect(tag).toMatch(/^".+"$/);
  const filled = Object.entries(headers).map(([name, value]): [string, string | string[]] => [
    name,
    Array.isArray(value) ? value.map((line) => line.replaceAll('ETAG', tag)) : value.replaceAll('ETAG', tag),
  ]);
  return Object.fromEntries(filled);
}
