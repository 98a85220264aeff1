import { describe, expect, test, vi } from 'vitest';
import { startService } from './http-service.js';
import {
  bodyOf,
  entryOf,
  expectCode,
  type OpenDriver,
  openDriver,
  setEnvironment,
  TEST_KEYS,
} from './open-driver.js';
import { failure, redirectWithHeader, S3Server } from './s3-server.js';
import { type StsService, startSts } from './sts-service.js';

const ROLE = 'arn:aws:iam::123456789012:role/images';
const MINUTE = 60_000;
/** The SDK's own attempts at STS take a while. */
const PATIENCE = { timeout: 15_000 };

interface RoleStore extends OpenDriver {
  readonly server: S3Server;
  readonly sts: StsService;
}

async function openWithRole(externalId = ''): Promise<RoleStore> {
  const server = await S3Server.start();
  const sts = await startSts(server);
  setEnvironment({ ...TEST_KEYS, AWS_ENDPOINT_URL_STS: sts.url });
  const opened = openDriver({
    endpoint: server.url,
    assumeRoleArn: ROLE,
    assumeRoleExternalId: externalId,
  });
  return { server, sts, ...opened };
}

describe('an assumed role', () => {
  test('stores and reads, with the external ID on the wire', async () => {
    const { server, sts, driver } = await openWithRole('ext-42');
    await driver.put('a', entryOf('a'));
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(sts.calls.map((call) => Object.fromEntries(call))).toEqual([
      expect.objectContaining({ Action: 'AssumeRole', RoleArn: ROLE, ExternalId: 'ext-42' }),
    ]);
    expect(sts.requests[0]?.headers.authorization).toContain('Credential=TESTKEY/');
    expect(new Set(server.requests.map(({ authorization }) => authorization?.accessKey))).toEqual(
      new Set(['ASIASESSION1']),
    );
  });

  test('makes one exchange for 50 concurrent requests over two regions', async () => {
    const { server, sts, driver } = await openWithRole();
    server.bucket().region = 'eu-central-1';
    server.wrongRegion = redirectWithHeader;
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => driver.put(`n${index}`, entryOf(`n${index}`))),
    );
    expect(new Set(server.requests.map(({ authorization }) => authorization?.region)).size).toBe(2);
    expect(sts.calls).toHaveLength(1);
    expect(sts.calls[0]?.has('ExternalId')).toBe(false);
  });

  test.each([
    [403, 'AccessDenied', 'ERR_CACHE_ACCESS_DENIED', /trust policy.*sts:AssumeRole/],
    [404, 'NoSuchEntity', 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN/],
    [400, 'ValidationError', 'ERR_CACHE_CONFIG', /IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN/],
    [403, 'InvalidClientTokenId', 'ERR_CACHE_ACCESS_DENIED', /AWS_ACCESS_KEY_ID/],
  ] as const)('that STS refuses with %i %s is told apart', async (status, code, cacheCode, message) => {
    const { server, sts, driver } = await openWithRole();
    sts.reply = () => ({ status, code });
    await expectCode(driver.get('a'), cacheCode, message);
    expect(server.requests).toEqual([]);
  });

  test('that STS refuses without an end is not waited for', async () => {
    const server = await S3Server.start();
    const sts = await startService((_request, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 'x')));
      };
      response.writeHead(403, { 'content-length': 10_000_000_000 }).on('drain', pour);
      pour();
    });
    setEnvironment({ ...TEST_KEYS, AWS_ENDPOINT_URL_STS: sts.url });
    // No time passes but that of the machine: the deadline of an exchange does not.
    const { driver } = openDriver({ endpoint: server.url, assumeRoleArn: ROLE });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /no credentials of the role/);
  });

  test('is refused without AWS’s envelope around the error, as other stores do', async () => {
    const server = await S3Server.start();
    const sts = await startService((_request, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>');
    });
    setEnvironment({ ...TEST_KEYS, AWS_ENDPOINT_URL_STS: sts.url });
    const { driver } = openDriver({ endpoint: server.url, assumeRoleArn: ROLE });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /trust policy/);
  });
});

describe('S13 credentials near their end', () => {
  test('are renewed in the background, and used meanwhile', async () => {
    const { server, sts, driver, clock, events } = await openWithRole();
    await driver.get('a');
    clock.advance(56 * MINUTE);
    await driver.get('a');
    expect(server.requests.at(-1)?.authorization?.accessKey).toBe('ASIASESSION1');
    await vi.waitFor(() => expect(events.map(({ kind }) => kind)).toContain('credentials-renewed'), PATIENCE);
    await driver.get('a');
    expect(server.requests.at(-1)?.authorization?.accessKey).toBe('ASIASESSION2');
    expect(sts.calls).toHaveLength(2);
  });

  test('are used while STS throttles, and all requests succeed', async () => {
    const { sts, driver, clock, events } = await openWithRole();
    await driver.put('a', entryOf('a'));
    sts.reply = () => ({ status: 400, code: 'Throttling' });
    clock.advance(56 * MINUTE);
    for (let request = 0; request < 10; request += 1) expect(await bodyOf(driver, 'a')).toBe('body of a');
    await vi.waitFor(
      () => expect(events.map(({ kind }) => kind)).toContain('credentials-not-renewed'),
      PATIENCE,
    );
    const calls = sts.calls.length;
    for (let request = 0; request < 10; request += 1) expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(sts.calls).toHaveLength(calls);
    clock.advance(5 * MINUTE);
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /STS/);
    sts.reply = () => ({ lifeSeconds: 3600 });
    clock.advance(MINUTE);
    expect(await bodyOf(driver, 'a')).toBe('body of a');
  });
});

describe('S14 STS is not asked for every request', () => {
  test('with credentials that live shorter than the renewal is ahead', async () => {
    const { sts, driver } = await openWithRole();
    sts.reply = () => ({ lifeSeconds: 240 });
    for (let request = 0; request < 20; request += 1) await driver.get('a');
    expect(sts.calls).toHaveLength(1);
  });

  test('after a refusal, until the back-off is over', async () => {
    const { sts, driver, clock } = await openWithRole();
    sts.reply = () => ({ status: 403, code: 'AccessDenied' });
    for (let request = 0; request < 20; request += 1)
      await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
    expect(sts.calls).toHaveLength(1);
    clock.advance(MINUTE);
    sts.reply = () => ({ lifeSeconds: 3600 });
    expect(await driver.get('a')).toBeUndefined();
    expect(sts.calls).toHaveLength(2);
  });
});

describe('S15 an STS that hangs', () => {
  test('holds nobody longer than the deadline, and later requests ask anew', async () => {
    const { sts, driver, clock } = await openWithRole();
    sts.reply = () => 'hang';
    const first = driver.get('a');
    const second = driver.get('b');
    await vi.waitFor(() => expect(sts.calls).toHaveLength(1));
    clock.advance(10_000);
    await expectCode(first, 'ERR_CACHE_TIMEOUT', /role/);
    await expectCode(second, 'ERR_CACHE_TIMEOUT');
    sts.reply = () => ({ lifeSeconds: 3600 });
    clock.advance(MINUTE);
    expect(await driver.get('a')).toBeUndefined();
  });

  test('holds nobody who aborts', async () => {
    const { sts, driver } = await openWithRole();
    sts.reply = () => 'hang';
    const abort = new AbortController();
    const hung = driver.get('a', { signal: abort.signal });
    await vi.waitFor(() => expect(sts.calls).toHaveLength(1));
    abort.abort();
    await expectCode(hung, 'ERR_CACHE_ABORTED');
  });

  test('does not keep close() waiting', async () => {
    const { sts, driver } = await openWithRole();
    sts.reply = () => 'hang';
    const hung = driver.get('a');
    await vi.waitFor(() => expect(sts.calls).toHaveLength(1));
    await driver.close();
    await expectCode(hung, 'ERR_CACHE_CLOSED');
  });
});

describe('S16 ExpiredToken', () => {
  test('renews once and asks once more', async () => {
    const { server, sts, driver } = await openWithRole();
    await driver.put('a', entryOf('a'));
    server.script = ({ authorization }) =>
      authorization?.accessKey === 'ASIASESSION1' ? failure(400, 'ExpiredToken') : undefined;
    const bodies = await Promise.all(Array.from({ length: 10 }, () => bodyOf(driver, 'a')));
    expect(bodies).toEqual(Array.from({ length: 10 }, () => 'body of a'));
    expect(sts.calls).toHaveLength(2);
  });

  test('that stays is told, and asks STS no more than the back-off allows', async () => {
    const { server, sts, driver } = await openWithRole();
    server.script = () => failure(400, 'ExpiredToken');
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /expired/);
    expect(server.requests).toHaveLength(2);
    expect(sts.calls).toHaveLength(2);
  });

  test('of credentials that nothing renews is told without a second request', async () => {
    setEnvironment({ ...TEST_KEYS, AWS_SESSION_TOKEN: 'old' });
    const server = await S3Server.start();
    server.script = () => failure(400, 'ExpiredToken');
    const { driver } = openDriver({ endpoint: server.url });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /AWS_SESSION_TOKEN/);
    expect(server.requests).toHaveLength(1);
  });

  test('of the keys that assume the role renews those', async () => {
    const { server, sts, driver } = await openWithRole();
    let expired = true;
    sts.reply = () => {
      if (!expired) return { lifeSeconds: 3600 };
      expired = false;
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'NEWKEY');
      return { status: 403, code: 'ExpiredToken' };
    };
    expect(await driver.get('a')).toBeUndefined();
    expect(sts.requests.map(({ headers }) => headers.authorization?.includes('NEWKEY'))).toEqual([
      false,
      true,
    ]);
    expect(server.requests).toHaveLength(1);
  });
});
