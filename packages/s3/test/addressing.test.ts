import dns from 'node:dns';
import net from 'node:net';
import type { S3DriverOptions } from '@imgproxy-cache/s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  bodyOf,
  entryOf,
  expectCode,
  type OpenStore,
  openDriver,
  setEnvironment,
  TEST_KEYS,
} from './open-driver.js';
import { failure, redirectWithHeader, S3Server, testAuthority, testTls } from './s3-server.js';

/** For which every name is the server's. */
function leadingTo(server: S3Server): S3DriverOptions {
  return { connect: () => net.connect(server.port, '127.0.0.1'), ca: testAuthority };
}

async function openAws(bucket: string, virtualHost: boolean): Promise<OpenStore> {
  setEnvironment(TEST_KEYS);
  const server = await S3Server.start({ virtualHost, tls: testTls });
  server.buckets.set(bucket, { region: 'us-west-1', objects: new Map() });
  return { server, ...openDriver({ bucket }, leadingTo(server)) };
}

describe('without an endpoint', () => {
  test("a bucket has AWS's own name, and its region is a part of it", async () => {
    const { server, driver } = await openAws('cache', true);
    server.bucket('cache').region = 'eu-central-1';
    await driver.put('a', entryOf('a'));
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(server.requests.map(({ headers }) => headers.host)).toEqual([
      'cache.s3.us-west-1.amazonaws.com',
      'cache.s3.eu-central-1.amazonaws.com',
      'cache.s3.eu-central-1.amazonaws.com',
    ]);
  });

  test('a bucket with dots is a part of the path', async () => {
    const { server, driver } = await openAws('images.example.com', false);
    await driver.put('a', entryOf('a'));
    expect(server.requests[0]).toMatchObject({
      url: '/images.example.com/a',
      headers: { host: 's3.us-west-1.amazonaws.com' },
    });
  });

  test.each(['fips-us-east-1', 'default', 'us-east-1.evil.example.com', 'aws-global', 'US-EAST-1'])(
    'S24 %s is no region for a host name',
    async (name) => {
      const { server, driver } = await openAws('cache', true);
      server.script = () => redirectWithHeader(name);
      await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_REGION/);
      expect(new Set(server.requests.map(({ headers }) => headers.host))).toEqual(
        new Set(['cache.s3.us-west-1.amazonaws.com']),
      );
    },
  );

  test.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1', 'ap-southeast-7'])(
    '%s is one',
    async (name) => {
      const { server, driver } = await openAws('cache', true);
      server.bucket('cache').region = name;
      server.script = ({ authorization }) =>
        authorization?.region === name ? failure(404, 'NoSuchKey') : redirectWithHeader(name);
      expect(await driver.get('a')).toBeUndefined();
    },
  );

  test('the legacy name EU is eu-west-1', async () => {
    const { server, driver } = await openAws('cache', true);
    server.bucket('cache').region = 'eu-west-1';
    server.wrongRegion = () => redirectWithHeader('EU');
    expect(await driver.get('a')).toBeUndefined();
    expect(server.requests.at(-1)?.headers.host).toBe('cache.s3.eu-west-1.amazonaws.com');
  });
});

describe('with an endpoint', () => {
  test.each([true, false])('with or without a scheme the bucket is in the path (%s)', async (scheme) => {
    setEnvironment({ ...TEST_KEYS, AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' });
    const server = await S3Server.start();
    const { driver } = openDriver({ endpoint: scheme ? server.url : `127.0.0.1:${server.port}` });
    await driver.put('a', entryOf('a'));
    expect(server.requests[0]).toMatchObject({
      url: '/cache/a',
      headers: { host: `127.0.0.1:${server.port}` },
    });
  });

  test.each(['http', 'https'] as const)(
    'over %s the bucket is in the host name, with its port',
    async (scheme) => {
      setEnvironment(TEST_KEYS);
      const tls = scheme === 'https' ? { tls: testTls } : {};
      const server = await S3Server.start({ virtualHost: true, ...tls });
      const { driver } = openDriver(
        { endpoint: `${scheme}://s3.example.com:9000`, usePathStyle: false },
        leadingTo(server),
      );
      await driver.put('a/b', entryOf('a/b'));
      expect(await bodyOf(driver, 'a/b')).toBe('body of a/b');
      expect(server.requests[0]).toMatchObject({
        url: '/a/b',
        headers: { host: 'cache.s3.example.com:9000' },
      });
      expect((await driver.check()).findings).toEqual([]);
    },
  );

  test.each([
    ['http://127.0.0.1', 'cache', /IP address/],
    ['http://[::1]:9000', 'cache', /IP address/],
    ['http://127.0.0.1:9000', 'images.example.com', /IP address/],
    ['https://s3.example.com', 'images.example.com', /dot/],
    ['http://s3.example.com', 'Images', /host name/],
  ])(
    '%s and %s are addressed by path all the same, and check() says so',
    async (endpoint, bucket, message) => {
      setEnvironment(TEST_KEYS);
      const server = await S3Server.start(endpoint.startsWith('https') ? { tls: testTls } : {});
      server.buckets.set(bucket, { region: 'us-west-1', objects: new Map() });
      const { driver } = openDriver({ endpoint, bucket, usePathStyle: false }, leadingTo(server));
      const { ok, findings } = await driver.check();
      expect(server.requests[0]?.bucket).toBe(bucket);
      expect(ok).toBe(true);
      expect(findings).toMatchObject([
        { level: 'warning', subject: 'endpoint', message: expect.stringMatching(message) },
      ]);
      expect(findings[0]?.message).toContain('IMGPROXY_CACHE_S3_ENDPOINT_USE_PATH_STYLE');
    },
  );

  test('that has a path the bucket follows it', async () => {
    setEnvironment(TEST_KEYS);
    const server = await S3Server.start();
    server.script = () => ({ status: 200, headers: { etag: '"x"' } });
    const { driver } = openDriver({ endpoint: `${server.url}/storage/v1/s3/` });
    await driver.put('a', entryOf('a'));
    expect(server.requests[0]?.url).toBe('/storage/v1/s3/cache/a');
  });

  test('of the AWS SDK (AWS_ENDPOINT_URL_S3) it counts where ours is blank', async () => {
    const server = await S3Server.start();
    setEnvironment({ ...TEST_KEYS, AWS_ENDPOINT_URL_S3: server.url });
    await openDriver({}).driver.put('a', entryOf('a'));
    expect(server.requests[0]?.url).toBe('/cache/a');
  });

  test('that no name service knows is unavailable', async () => {
    setEnvironment(TEST_KEYS);
    const lookup = ((_name, _options, callback) =>
      callback(
        Object.assign(new Error('no such host'), { code: dns.NOTFOUND }),
        '',
        4,
      )) as net.LookupFunction;
    const { driver } = openDriver({ endpoint: 'http://s3.invalid' }, { lookup });
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /ENOTFOUND.*IMGPROXY_CACHE_S3_ENDPOINT/);
  });
});

test('a process whose driver is closed can end: no timer and no connection is left', async () => {
  setEnvironment(TEST_KEYS);
  const server = await S3Server.start();
  const before = new Set(process.getActiveResourcesInfo());
  const { driver } = openDriver({ endpoint: server.url });
  onTestFinished(() => server.stop().catch(() => undefined));
  await Promise.all(Array.from({ length: 20 }, (_, index) => driver.put(`n${index}`, entryOf(`n${index}`))));
  await driver.close();
  const after = process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap');
  expect(before.has('TCPSocketWrap') ? [] : after.slice(20)).toEqual([]);
});
