import { lookup as systemLookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import net, { type LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type { S3Config, S3DriverOptions } from '@imgproxy-cache/s3';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, openDriver } from '../open-driver.js';
import {
  contractOn,
  ensureBucket,
  liveConfig,
  removeBucket,
  strangerTo,
  variable,
  watchRequests,
} from './live-store.js';

const US = 'us-west-1';
const EU = 'eu-central-1';
/** A bucket that one region makes is known to the other within seconds. */
const SYNC = { timeout: 50_000, interval: 500 };

const eu = liveConfig({ bucket: 'live-eu', region: EU, endpoint: variable('CEPH_EU_ENDPOINT') });

const toLoopback: LookupFunction = (name, options, callback) =>
  name.endsWith('localhost')
    ? systemLookup('127.0.0.1', options, callback)
    : systemLookup(name, options, callback);

/** The driver as an operator has it that knows the one endpoint for both regions. */
function openAtBoth(changes: Partial<S3Config>) {
  return openDriver({ ...liveConfig({ region: US, endpoint: variable('CEPH_BOTH_ENDPOINT') }), ...changes });
}

beforeAll(async () => {
  await ensureBucket(liveConfig());
  await ensureBucket(eu);
});

describe('in virtual-host style', () => {
  contractOn(liveConfig({ endpoint: variable('CEPH_VIRTUAL_HOST_ENDPOINT'), usePathStyle: false }), {
    lookup: toLoopback,
  });

  test('the bucket is a part of the host name', async () => {
    const requests = watchRequests();
    const endpoint = variable('CEPH_VIRTUAL_HOST_ENDPOINT');
    const { driver } = openDriver(liveConfig({ endpoint, usePathStyle: false }), {
      lookup: toLoopback,
    });
    expect(await driver.get('absent')).toBeUndefined();
    expect(requests).toEqual([`GET ${liveConfig().bucket}.${new URL(endpoint).host} /absent`]);
  });
});

describe('region memory', () => {
  test('the first request costs one extra round trip, the next thousand none', async () => {
    const requests = watchRequests();
    const { driver, events } = openAtBoth({ bucket: eu.bucket });
    await driver.put('memory/a', entryOf('memory/a'));
    expect(requests).toHaveLength(2);
    for (let round = 0; round < 50; round += 1) {
      const entries = await Promise.all(Array.from({ length: 20 }, () => driver.get('memory/a')));
      for (const entry of entries) await entry?.discard();
    }
    expect(requests).toHaveLength(1002);
    expect(await bodyOf(driver, 'memory/a')).toBe('body of memory/a');
    expect(await namesIn(driver, 'memory/')).toEqual(['memory/a']);
    await driver.delete(['memory/a']);
    expect(events.map(({ kind }) => kind)).toEqual(['region-learned']);
  });

  test('a bucket that was made anew in the other region is found again', async () => {
    const bucket = `live-moving-${Date.now().toString(36)}`;
    const inEu = { ...eu, bucket };
    const inUs = liveConfig({ bucket });
    await ensureBucket(inEu);
    const { driver, events } = openAtBoth({ bucket });
    await vi.waitFor(() => driver.put('a', entryOf('a')), SYNC);
    await removeBucket(inEu);
    await vi.waitFor(() => ensureBucket(inUs), SYNC);
    await vi.waitFor(() => driver.put('a', entryOf('a')), SYNC);
    const requests = watchRequests();
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(requests).toHaveLength(1);
    expect(events[0]?.kind).toBe('region-learned');
    await removeBucket(inUs);
  });

  test('an endpoint of one region points to the other one, which is told and not followed', async () => {
    const requests = watchRequests();
    const { driver } = openDriver(liveConfig({ bucket: eu.bucket }));
    const remedy = new RegExp(
      `Set IMGPROXY_CACHE_S3_ENDPOINT=${eu.endpoint} and IMGPROXY_CACHE_S3_REGION=${EU}`,
    );
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_CONFIG', remedy);
    const { ok, findings } = await driver.check();
    expect(ok).toBe(false);
    expect(findings[0]?.message).toMatch(remedy);
    expect(requests.filter((request) => request.includes(new URL(eu.endpoint).host))).toEqual([]);
  });
});

describe("AWS's own names over TLS", () => {
  const ca = readFileSync(join(process.env['CEPH_LAB_RUN'] ?? join(tmpdir(), 'ceph-lab'), 'tls.crt'));

  /** For which every name of AWS is the lab; certificates are checked against the lab's own. */
  function leadingToLab(): S3DriverOptions {
    return {
      ca,
      connect: ({ host }) =>
        net.connect(
          Number(variable(host.includes(EU) ? 'CEPH_TLS_PORT_EU' : 'CEPH_TLS_PORT_US')),
          '127.0.0.1',
        ),
    };
  }

  test('a bucket in another region is found, and its host name changes with it', async () => {
    const requests = watchRequests();
    const { driver, events } = openDriver({ bucket: eu.bucket, region: US }, leadingToLab());
    await driver.put('tls/a', entryOf('tls/a'));
    expect(await bodyOf(driver, 'tls/a')).toBe('body of tls/a');
    const hosts = requests.map((request) => request.split(' ')[1]);
    expect(hosts[0]).toBe(`${eu.bucket}.s3.${US}.amazonaws.com`);
    expect(hosts.slice(-2)).toEqual([
      `${eu.bucket}.s3.${EU}.amazonaws.com`,
      `${eu.bucket}.s3.${EU}.amazonaws.com`,
    ]);
    expect(events.map(({ kind }) => kind)).toEqual(['region-learned']);
    await driver.delete(['tls/a']);
  });
});

describe('AssumeRole', () => {
  const arn = (role: string): string => `arn:aws:iam:::role/${role}`;
  const roleBucket = { ...eu, bucket: 'role-bucket' };

  /** With the keys of a user who may do nothing but assume roles. */
  function openWithRole(assumeRoleArn: string, changes: Partial<S3Config> = {}) {
    vi.stubEnv('AWS_ACCESS_KEY_ID', variable('CEPH_ASSUMER_ACCESS_KEY_ID'));
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', variable('CEPH_ASSUMER_SECRET_ACCESS_KEY'));
    return openAtBoth({ bucket: roleBucket.bucket, assumeRoleArn, ...changes });
  }

  beforeAll(async () => {
    await ensureBucket(roleBucket);
    return () => void vi.unstubAllEnvs();
  });

  test('50 concurrent requests over two regions store and read with one call of STS', async () => {
    const requests = watchRequests();
    const { driver } = openWithRole(arn('plain'), { assumeRoleExternalId: 'ext-42' });
    const names = Array.from({ length: 50 }, (_, index) => `role/${index}`);
    await Promise.all(names.map((name) => driver.put(name, entryOf(name))));
    for (const name of names) expect(await bodyOf(driver, name)).toBe(`body of ${name}`);
    await driver.delete(names);
    const sts = new URL(variable('AWS_ENDPOINT_URL_STS')).host;
    expect(requests.filter((request) => request === `POST ${sts} /`)).toHaveLength(1);
  });

  test.each([
    ['nottrusted', 'ERR_CACHE_ACCESS_DENIED', /trust policy/],
    ['missing', 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN/],
  ] as const)('the role %s has a clear code', async (role, code, message) => {
    await expectCode(openWithRole(arn(role)).driver.get('a'), code, message);
  });

  test('a malformed ARN has a clear code', async () => {
    const { driver } = openWithRole('arn:aws:iam::malformed');
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN/);
  });
});

test('another client sees the picture with its type', async () => {
  const config = liveConfig();
  const { driver } = openDriver(config);
  await driver.put('seen/a', entryOf('seen/a', Buffer.from('picture'), { contentType: 'image/avif' }));
  const object = await strangerTo(config).send(
    new GetObjectCommand({ Bucket: config.bucket, Key: 'seen/a' }),
  );
  expect(object.ContentType).toBe('image/avif');
  expect(await object.Body?.transformToString()).toBe('picture');
  await driver.delete(['seen/a']);
});

test('wrong keys are told apart from everything else', async () => {
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
  const { driver } = openDriver(liveConfig());
  const { ok, findings } = await driver.check();
  vi.unstubAllEnvs();
  expect(ok).toBe(false);
  expect(findings[0]).toMatchObject({ subject: 'write', error: { code: 'ERR_CACHE_ACCESS_DENIED' } });
});
