import { createHash } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { bodyOf, entryOf, namesIn, openStore } from './open-driver.js';
import { type Answer, failure, type WireRequest } from './s3-server.js';

type Refusal = (request: WireRequest) => Answer | undefined;

function when(condition: (request: WireRequest) => boolean, answer: Answer): Refusal {
  return (request) => (condition(request) ? answer : undefined);
}

const hasHeader =
  (pattern: RegExp) =>
  ({ headers }: WireRequest): boolean =>
    Object.keys(headers).some((name) => pattern.test(name));
const isChunked = ({ headers }: WireRequest): boolean =>
  /aws-chunked/.test(String(headers['content-encoding'])) ||
  /^STREAMING/.test(String(headers['x-amz-content-sha256']));
const isMultiDelete = ({ query }: WireRequest): boolean => query.has('delete');
const hasChecksum = hasHeader(/^x-amz-(?:checksum-|sdk-checksum)/);

/** What other stores refuse, as it was seen. `default`: the SDK's own defaults run into it with a small put. */
const STORES: readonly (readonly [
  store: string,
  refusals: readonly Refusal[],
  seenBySdkDefaults: boolean,
])[] = [
  [
    'Cloudflare R2',
    [when(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined, failure(501, 'NotImplemented'))],
    true,
  ],
  ['Backblaze B2', [when(hasChecksum, failure(400, 'InvalidArgument'))], true],
  [
    'Oracle OCI',
    [
      when(isChunked, failure(501, 'NotImplemented')),
      when(
        ({ headers, body }) =>
          headers['x-amz-content-sha256'] !== 'UNSIGNED-PAYLOAD' &&
          headers['x-amz-content-sha256'] !== createHash('sha256').update(body).digest('hex'),
        failure(400, 'InvalidArgument'),
      ),
      when(
        (request) =>
          isMultiDelete(request) && !hasHeader(/^(?:content-md5|x-amz-checksum-(?:sha256|crc32c))$/)(request),
        failure(400, 'InvalidRequest'),
      ),
    ],
    false,
  ],
  ['Ceph RGW, Hetzner, Clever Cellar', [when(isChunked, failure(400, 'XAmzContentSHA256Mismatch'))], false],
  [
    'OVH',
    [
      when(isChunked, failure(501, 'NotImplemented')),
      when(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined, failure(400, 'InvalidRequest')),
    ],
    true,
  ],
  [
    "OpenStack Swift's s3api",
    [
      when(isChunked, failure(501, 'NotImplemented')),
      when(
        (request) => isMultiDelete(request) && request.headers['content-md5'] === undefined,
        failure(400, 'InvalidRequest'),
      ),
    ],
    false,
  ],
  [
    'GCS interoperability',
    [
      when(
        (request) => hasChecksum(request) && !isMultiDelete(request),
        failure(403, 'SignatureDoesNotMatch'),
      ),
      when(isMultiDelete, failure(400, 'InvalidRequest')),
    ],
    true,
  ],
  [
    'Dell ECS and old MinIO',
    [
      when(
        (request) => isMultiDelete(request) && request.headers['content-md5'] === undefined,
        failure(400, 'MissingContentMD5'),
      ),
    ],
    false,
  ],
  [
    'Storj',
    [
      when(
        ({ method, headers }) => method === 'PUT' && headers['content-length'] === undefined,
        failure(411, 'MissingContentLength'),
      ),
    ],
    false,
  ],
  [
    'a store that keeps the framing of aws-chunked',
    [when(isChunked, { status: 200, headers: { etag: '"framed"' } })],
    false,
  ],
  [
    'a store that refuses x-id',
    [when(({ query }) => query.has('x-id'), failure(400, 'InvalidArgument'))],
    true,
  ],
  [
    'a store behind a proxy that does not know Expect',
    [when(({ headers }) => headers.expect !== undefined, { status: 417 })],
    false,
  ],
  ['a store without conditional requests', [when(hasHeader(/^if-/), failure(501, 'NotImplemented'))], false],
  ['a store without DeleteObjects', [when(isMultiDelete, failure(405, 'MethodNotAllowed'))], false],
];

describe.each(STORES)('S18 to S21 on %s', (_store, refusals, seenBySdkDefaults) => {
  const refuse = (request: WireRequest): Answer | undefined => {
    for (const refusal of refusals) {
      const answer = refusal(request);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };

  test('everything works', async () => {
    const { server, driver } = await openStore();
    server.script = refuse;
    const big = entryOf('big', Buffer.alloc(3 * 1024 * 1024, 'image'));
    await driver.put('big', big);
    await driver.put('a b+&ü'.replace('ü', 'u'), entryOf('a b+&u'));
    expect(server.bucket().objects.get('big')?.body.equals(big.body)).toBe(true);
    expect(await bodyOf(driver, 'a b+&u')).toBe('body of a b+&u');
    expect(await namesIn(driver, '')).toEqual(['a b+&u', 'big']);
    await driver.delete(['big', 'a b+&u', 'absent']);
    expect(server.bucket().objects.size).toBe(0);
    expect((await driver.check()).findings).toEqual([]);
  });

  if (seenBySdkDefaults) {
    test('the SDK by itself is refused', async () => {
      const { server } = await openStore();
      server.script = refuse;
      const client = new S3Client({ endpoint: server.url, region: 'us-west-1', forcePathStyle: true });
      const put = client.send(new PutObjectCommand({ Bucket: 'cache', Key: 'a', Body: Buffer.from('x') }));
      await expect(put).rejects.toThrow();
      client.destroy();
    });
  }
});

test('S18 a put is plain bytes of a declared length, with the image’s type and our metadata', async () => {
  const { server, driver } = await openStore();
  const body = Buffer.alloc(3 * 1024 * 1024, 'image');
  await driver.put('images/a', entryOf('images/a', body, { contentType: 'image/avif', tags: ['é'] }));
  const [put] = server.requests;
  expect(put?.headers).toMatchObject({
    'content-type': 'image/avif',
    'content-length': String(body.length),
    'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    'x-amz-meta-version': '1',
    'x-amz-meta-name': 'images/a',
    'x-amz-meta-tags': '%C3%A9',
  });
  const names = Object.keys(put?.headers ?? {});
  expect(names.filter((name) => /checksum|trailer|encoding|^expect$|^if-/.test(name))).toEqual([]);
  expect(put?.url).toBe('/cache/images/a');
});

test('S19 DeleteObjects that was refused once is not tried again', async () => {
  const { server, driver, events } = await openStore();
  server.script = when(isMultiDelete, failure(400, 'MissingContentMD5'));
  const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
  for (const name of names) await driver.put(name, entryOf(name));
  await driver.delete(names.slice(0, 20));
  await driver.delete(names.slice(20));
  expect(server.bucket().objects.size).toBe(0);
  expect(server.requests.filter(isMultiDelete)).toHaveLength(1);
  expect(events.map(({ kind }) => kind)).toEqual(['multi-delete-refused']);
});

test('S19 more names than one request takes are deleted in several', async () => {
  const { server, driver } = await openStore();
  const names = Array.from({ length: 2500 }, (_, index) => `n${index}`);
  for (const name of names) server.bucket().objects.set(name, { body: Buffer.alloc(0), headers: {} });
  expect(await namesIn(driver, 'n')).toHaveLength(2500);
  await driver.delete(names);
  expect(server.bucket().objects.size).toBe(0);
  expect(server.requests.filter(isMultiDelete)).toHaveLength(3);
});

test('S19 what could not be deleted is named', async () => {
  const { server, driver } = await openStore();
  for (const name of ['a', 'b', 'c']) await driver.put(name, entryOf(name));
  server.script = ({ method, key, query }) => {
    if (query.has('delete')) return failure(501, 'NotImplemented');
    return method === 'DELETE' && key === 'b' ? failure(403, 'AccessDenied') : undefined;
  };
  await expect(driver.delete(['a', 'b', 'c'])).rejects.toMatchObject({
    code: 'ERR_CACHE_ACCESS_DENIED',
    failedNames: ['b'],
    message: expect.stringContaining('"s3:DeleteObject"'),
  });
});

test('S20 no request expects 100-continue or names its operation', async () => {
  const { server, driver } = await openStore();
  await driver.put('a', entryOf('a', Buffer.alloc(5 * 1024 * 1024)));
  await driver.check();
  await driver.delete(['a', 'b']);
  expect(server.requests.filter(({ headers }) => headers.expect !== undefined)).toEqual([]);
  expect(server.requests.filter(({ query }) => query.has('x-id'))).toEqual([]);
  const reads = server.requests.filter(({ method }) => method === 'GET');
  expect(reads.filter(({ headers }) => headers['x-amz-checksum-mode'] !== undefined)).toEqual([]);
});
