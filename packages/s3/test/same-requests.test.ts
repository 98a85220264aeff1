import net from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import type { CacheEntry } from '@imgproxy-cache/core/driver';
import { isEntryName } from '@imgproxy-cache/core/driver';
import type { S3Config } from '@imgproxy-cache/s3';
import { HttpRequest } from '@smithy/core/protocols';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryOf, openDriver, setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server, testAuthority, testTls, type WireRequest } from './s3-server.js';

/**
 * What is meant to differ: the SDK names itself, and counts its attempts for the store to see.
 */
const HEADERS_OF_THE_SDK: ReadonlySet<string> = new Set([
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'x-amz-user-agent',
  'user-agent',
]);
/** What depends on the second of the request, or on what differs. Compared by signing anew. */
const HEADERS_OF_THE_MOMENT: ReadonlySet<string> = new Set(['authorization', 'x-amz-date']);

const segment = fc
  .string({ unit: 'binary-ascii', minLength: 1, maxLength: 30 })
  .map((text) => text.replaceAll('/', '+'));
const key = fc
  .array(
    fc.oneof(segment, fc.constantFrom('v1', '..a', 'a b', "it's(*)!~", '100%', '?q=1&r', '#x', '+', ':@')),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((segments) => segments.join('/'))
  .filter(isEntryName);
const label = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}[a-z0-9]$/);
const bucket = fc.oneof(
  label,
  fc.tuple(label, label).map((labels) => labels.join('.')),
  fc.stringMatching(/^[A-Z][A-Za-z0-9_]{2,20}$/),
);
const place: fc.Arbitrary<Partial<S3Config>> = fc.oneof(
  fc.record({ endpoint: fc.constant('') }),
  fc.record({
    endpoint: fc
      .tuple(
        fc.constantFrom('http://', 'https://', ''),
        fc.constantFrom('127.0.0.1', 's3.example.com'),
        fc.constantFrom('', ':80', ':443', ':9000'),
        fc.constantFrom('', '/', '/storage/v1/s3', '/a%20b/'),
      )
      .map((parts) => parts.join('')),
    usePathStyle: fc.boolean(),
  }),
);
const region = fc.constantFrom('us-west-1', 'eu-central-1', 'eu-west-1');
const content = fc.record({
  contentType: fc.constantFrom('image/webp', 'image/svg+xml', 'image/avif'),
  created: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  etag: fc.string({ maxLength: 20 }),
  lastModified: fc.string({ maxLength: 20 }),
  tags: fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { maxLength: 3 }),
});
const body = fc.uint8Array({ maxLength: 2000 });

test('both ways of reading and storing put the same requests on the wire', async () => {
  setEnvironment(TEST_KEYS);
  const plain = await S3Server.start();
  const secure = await S3Server.start({ tls: testTls });
  const token = fc.option(fc.stringMatching(/^[A-Za-z0-9+/=]{10,200}$/), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      fc.record({ key, bucket, place, region, content, body, token }),
      async ({
        key: name,
        bucket: bucketName,
        place: where,
        region: from,
        content: about,
        body: bytes,
        token: session,
      }) => {
        setEnvironment({ ...TEST_KEYS, ...(session === undefined ? {} : { AWS_SESSION_TOKEN: session }) });
        const server = where.endpoint === '' || where.endpoint?.startsWith('https') ? secure : plain;
        const entry = entryWith(name, bytes, about);
        if (entry === undefined) return;
        const config = { ...where, bucket: bucketName, region: from };
        const [ours, theirs] = [
          await record(server, config, entry, false),
          await record(server, config, entry, true),
        ];
        expect(ours.map(comparable)).toEqual(theirs.map(comparable));
        expect(ours.map(({ headers }) => namesOf(headers))).toEqual(
          theirs.map(({ headers }) => namesOf(headers)),
        );
        for (const request of [...ours, ...theirs]) {
          expect(request.headers.authorization).toBe(await signedAnew(request, session));
        }
      },
    ),
    { numRuns: 75 },
  );
}, 120_000);

/** Metadata may be refused before anything is sent. */
function entryWith(name: string, bytes: Uint8Array, about: object): CacheEntry | undefined {
  try {
    return entryOf(name, bytes, about);
  } catch {
    return undefined;
  }
}

/** What a put and a get of an entry put on the wire, wherever they mean to go. */
async function record(
  server: S3Server,
  config: Partial<S3Config>,
  entry: CacheEntry,
  useSdkCommands: boolean,
): Promise<readonly WireRequest[]> {
  server.requests.length = 0;
  server.script = ({ method }) =>
    method === 'PUT'
      ? { status: 200, headers: { etag: '"x"' } }
      : { status: 404, body: '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>' };
  const { driver } = openDriver(
    { ...config, useSdkCommands },
    { connect: () => net.connect(server.port, '127.0.0.1'), ca: testAuthority },
  );
  await driver.put(entry.metadata.name, entry);
  await driver.get(entry.metadata.name);
  await driver.close();
  return [...server.requests];
}

function comparable({ method, url, headers, body: sent, authorization }: WireRequest): object {
  return {
    method,
    url,
    body: sent.toString('base64'),
    headers: Object.fromEntries(
      Object.entries(headers).filter(
        ([name]) => !HEADERS_OF_THE_SDK.has(name) && !HEADERS_OF_THE_MOMENT.has(name),
      ),
    ),
    signed: authorization?.signedHeaders.filter((name) => !HEADERS_OF_THE_SDK.has(name)),
    region: authorization?.region,
    service: authorization?.service,
    accessKey: authorization?.accessKey,
  };
}

function namesOf(headers: WireRequest['headers']): readonly string[] {
  return Object.keys(headers)
    .filter((name) => !HEADERS_OF_THE_SDK.has(name))
    .sort();
}

/** The authorization that the SDK's signer gives a request that has come over the wire. */
async function signedAnew(
  { method, url, headers, body: sent, authorization }: WireRequest,
  sessionToken: string | undefined,
): Promise<string | undefined> {
  if (authorization === undefined) return undefined;
  const { region: signingRegion, service: signingService, signedHeaders } = authorization;
  const client = new S3Client({
    region: signingRegion,
    credentials: {
      accessKeyId: TEST_KEYS.AWS_ACCESS_KEY_ID,
      secretAccessKey: TEST_KEYS.AWS_SECRET_ACCESS_KEY,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  });
  const signer = await client.config.signer();
  const [path = '', query] = url.split('?');
  expect(query).toBeUndefined();
  const time = String(headers['x-amz-date']);
  const request = new HttpRequest({
    method,
    path,
    headers: Object.fromEntries(signedHeaders.map((name) => [name, String(headers[name])])),
    ...(sent.length === 0 ? {} : { body: sent }),
  });
  const signed = await signer.sign(request, {
    signingDate: new Date(time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z')),
    signingRegion,
    signingService,
  });
  return signed.headers['authorization'];
}
