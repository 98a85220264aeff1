import { describe, expect, test } from 'vitest';
import { FakeSwift, failure } from './fake-swift.js';
import { authOf, bodyOf, entryOf, expectCode, openDriver, openStore } from './open-driver.js';

const names = Array.from({ length: 20 }, (_, index) => `a/${index}`);

describe.each([1, 2, 3] as const)('version %i', (version) => {
  test('one authentication serves all who wait for it', async () => {
    const server = await FakeSwift.start();
    const { driver } = openDriver(authOf(server, version));
    await Promise.all(names.map((name) => driver.put(name, entryOf(name))));
    for (const name of names) expect(await bodyOf(driver, name)).toBe(`body of ${name}`);
    expect(server.authentications).toBe(1);
  });

  test('a token is renewed before it ends, while requests go on with the old one', async () => {
    const server = await FakeSwift.start();
    const { driver, clock, events } = openDriver(authOf(server, version));
    server.identity.now = () => clock.now();
    await driver.put('a', entryOf('a'));
    const renewal = Promise.withResolvers<void>();
    server.script = ({ isAuthentication }) => (isAuthentication ? () => renewal.resolve() : undefined);
    clock.advance(server.identity.tokenLife * 1000 - 4 * 60_000);
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    await renewal.promise;
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(server.authentications).toBe(2);
    server.script = () => undefined;
    // The renewal that hangs ends with its deadline, and its back-off after that.
    clock.advance(60_000);
    await expect.poll(() => events.map(({ kind }) => kind)).toContain('token-not-renewed');
    clock.advance(1_000);
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    await expect.poll(() => events.map(({ kind }) => kind)).toContain('token-renewed');
  });

  test('a revoked token is replaced once for all requests, which are made again', async () => {
    const server = await FakeSwift.start();
    const { driver, events } = openDriver(authOf(server, version));
    await Promise.all(names.map((name) => driver.put(name, entryOf(name))));
    server.identity.revoke();
    const bodies = await Promise.all(names.map((name) => bodyOf(driver, name)));
    expect(bodies).toEqual(names.map((name) => `body of ${name}`));
    expect(server.authentications).toBe(2);
    expect(events.map(({ kind }) => kind)).toEqual(['token-renewed']);
  });

  test('wrong credentials are denied, with the variables to look at, and are not tried at every request', async () => {
    const server = await FakeSwift.start();
    const { driver } = openDriver({ ...authOf(server, version), apiKey: 'wrong' });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /IMGPROXY_CACHE_SWIFT_API_KEY/);
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /refuses user and key/);
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_ACCESS_DENIED');
    expect(server.authentications).toBe(1);
  });

  test('credentials that were wrong are tried again after a back-off', async () => {
    const server = await FakeSwift.start();
    server.identity.key = 'another';
    const { driver, clock } = openDriver(authOf(server, version));
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
    server.identity.key = 'testing';
    clock.advance(1_000);
    expect(await driver.get('a')).toBeUndefined();
  });

  test('a store that refuses every token is denied, and costs few authentications', async () => {
    const server = await FakeSwift.start();
    const { driver } = openDriver(authOf(server, version));
    server.script = ({ isAuthentication }) => (isAuthentication ? undefined : failure(401));
    for (let round = 0; round < 5; round += 1) {
      await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /refuses a token that is new/);
    }
    expect(server.authentications).toBe(2);
  });
});

describe('the version', () => {
  test.each([
    ['/auth/v1.0', 'GET /auth/v1.0'],
    ['/v2.0', 'POST /v2.0/tokens'],
    ['/v2.0/', 'POST /v2.0/tokens'],
    ['/v3', 'POST /v3/auth/tokens'],
  ])('is the one that the path %s names', async (path, expected) => {
    const server = await FakeSwift.start();
    const { driver } = openDriver({ authUrl: server.url + path, tenant: 'demo' });
    expect(await driver.get('a')).toBeUndefined();
    expect(server.log[0]).toBe(expected);
  });

  test.each([
    [
      ['v3.14', 'v2.0'],
      ['GET /', 'POST /v3/auth/tokens'],
    ],
    [['v2.0'], ['GET /', 'POST /v2.0/tokens']],
  ])('is the newest of %j that the server offers at its root', async (versions, expected) => {
    const server = await FakeSwift.start();
    server.identity.versions = versions;
    const { driver } = openDriver({ authUrl: server.url, tenant: 'demo' });
    expect(await driver.get('a')).toBeUndefined();
    server.identity.revoke();
    expect(await driver.get('a')).toBeUndefined();
    expect(server.log.filter((line) => !line.includes('/images'))).toEqual([...expected, expected[1]]);
    expect(server.requests[0]?.headers).not.toHaveProperty('x-auth-key');
  });

  test('is looked for again when it has failed', async () => {
    const server = await FakeSwift.start();
    server.identity.versions = ['v2.0'];
    const { driver, clock } = openDriver({ authUrl: server.url, tenant: 'demo' });
    expect(await driver.get('a')).toBeUndefined();
    server.identity.versions = ['v3.14'];
    server.script = ({ path }) => (path.startsWith('/v2.0') ? failure(404) : undefined);
    server.identity.revoke();
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /no authentication of version 2/);
    clock.advance(1_000);
    expect(await driver.get('a')).toBeUndefined();
  });

  test('that nobody tells is asked of the operator', async () => {
    const server = await FakeSwift.start();
    server.identity.versions = [];
    const { driver } = openDriver({ authUrl: `${server.url}/` });
    await expectCode(
      driver.get('a'),
      'ERR_CACHE_CONFIG',
      /set IMGPROXY_CACHE_SWIFT_AUTH_VERSION to 1, 2 or 3/,
    );
  });

  test('that is set is not looked for', async () => {
    const server = await FakeSwift.start();
    const { driver } = openDriver({ authUrl: `${server.url}/v3`, authVersion: 1 });
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /no authentication of version 1 .*\/auth\/v1\.0/);
    expect(server.log).toEqual(['GET /v3']);
  });
});

describe('the catalogue', () => {
  test.each([2, 3] as const)('of version %i gives the store of the region', async (version) => {
    const server = await FakeSwift.start();
    const other = await FakeSwift.start();
    server.identity.storage = (region) => `${region === 'RegionTwo' ? other.url : server.url}/v1/AUTH_test`;
    other.script = () => ({ status: 404 });
    await openDriver({ ...authOf(server, version), region: 'RegionTwo' })
      .driver.get('a')
      .catch(() => undefined);
    expect(other.requests.length).toBeGreaterThan(0);
    await openDriver(authOf(server, version)).driver.get('a');
    expect(server.log.at(-1)).toBe('HEAD /images');
  });

  test.each([2, 3] as const)('of version %i without the region names those it has', async (version) => {
    const server = await FakeSwift.start();
    const { driver } = openDriver({ ...authOf(server, version), region: 'RegionNone' });
    await expectCode(
      driver.get('a'),
      'ERR_CACHE_CONFIG',
      /IMGPROXY_CACHE_SWIFT_REGION to one of RegionOne, RegionTwo/,
    );
  });

  test.each([2, 3] as const)('of version %i without a project asks for one', async (version) => {
    const server = await FakeSwift.start();
    const { driver } = openDriver({ ...authOf(server, version), tenant: '' });
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /set IMGPROXY_CACHE_SWIFT_TENANT/);
  });

  test('of a project without object storage is told apart', async () => {
    const server = await FakeSwift.start();
    server.identity.service = 'volume';
    await expectCode(
      openDriver(authOf(server, 3)).driver.get('a'),
      'ERR_CACHE_CONFIG',
      /has no object store/,
    );
  });
});

test('user and project are in the domain that is set, else in the one whose id is default', async () => {
  const server = await FakeSwift.start();
  expect(await openDriver({ ...authOf(server, 3), domain: 'default' }).driver.get('a')).toBeUndefined();
  server.identity.domain = { name: 'Lab Domain' };
  expect(await openDriver({ ...authOf(server, 3), domain: 'Lab Domain' }).driver.get('a')).toBeUndefined();
  await expectCode(
    openDriver(authOf(server, 3)).driver.get('a'),
    'ERR_CACHE_ACCESS_DENIED',
    /IMGPROXY_CACHE_SWIFT_DOMAIN \(its case counts\)/,
  );
});

test('with version 2 a long key is tried as an API key, then as a password', async () => {
  const server = await FakeSwift.start();
  const apiKey = '0123456789abcdef0123456789abcdef';
  server.identity.key = apiKey;
  const { driver } = openDriver({ ...authOf(server, 2), apiKey });
  server.script = ({ body }) => (body.includes('RAX-KSKEY') ? { status: 400 } : undefined);
  expect(await driver.get('a')).toBeUndefined();
  expect(server.requests[0]?.body.toString()).toContain('apiKeyCredentials');
  expect(server.requests[1]?.body.toString()).toContain('passwordCredentials');
});

test('the clock of the identity service may differ from ours by hours', async () => {
  const server = await FakeSwift.start();
  server.identity.now = () => Date.now() - 5 * 3_600_000;
  const { driver } = openDriver(authOf(server, 3));
  for (let round = 0; round < 3; round += 1) expect(await driver.get('a')).toBeUndefined();
  expect(server.authentications).toBe(1);
});

test('a token that the server gives again until it ends costs few authentications', async () => {
  const { server, driver, clock } = await openStore();
  const answer = (left: number) => ({
    status: 200,
    headers: {
      'x-auth-token': 'the-same',
      'x-auth-token-expires': String(left),
      'x-storage-url': `${server.url}/v1/AUTH_test`,
    },
  });
  const end = clock.now() + 600_000;
  server.identity.isValid = (token) => token === 'the-same';
  server.script = ({ isAuthentication }) =>
    isAuthentication ? answer(Math.floor((end - clock.now()) / 1000)) : undefined;
  for (let second = 0; second < 599; second += 1) {
    clock.advance(1_000);
    expect(await driver.get('a')).toBeUndefined();
  }
  expect(server.authentications).toBeLessThan(15);
});

describe('an identity service that fails', () => {
  test.each([
    ['503', 'ERR_CACHE_UNAVAILABLE', failure(503), /cannot serve now \(status 503\)/],
    ['429', 'ERR_CACHE_UNAVAILABLE', failure(429), /asks for fewer requests/],
    ['404', 'ERR_CACHE_CONFIG', failure(404), /IMGPROXY_CACHE_SWIFT_AUTH_URL/],
    ['400', 'ERR_CACHE_CONFIG', failure(400), /malformed/],
    [
      'a redirect',
      'ERR_CACHE_CONFIG',
      { status: 301, headers: { location: 'https://a.example.com' } },
      /redirects/,
    ],
    ['a page', 'ERR_CACHE_UNAVAILABLE', { status: 200, body: '<html>welcome' }, /neither Swift nor Keystone/],
  ] as const)('with %s', async (_what, code, answer, message) => {
    const server = await FakeSwift.start();
    const { driver } = openDriver(authOf(server, 3));
    server.script = ({ isAuthentication }) => (isAuthentication ? answer : undefined);
    await expectCode(driver.get('a'), code, message);
  });

  test('does not matter while the token is valid', async () => {
    const { server, driver, clock } = await openStore();
    server.identity.now = () => clock.now();
    await driver.put('a', entryOf('a'));
    server.script = ({ isAuthentication }) => (isAuthentication ? failure(503) : undefined);
    clock.advance(server.identity.tokenLife * 1000 - 60_000);
    expect(await bodyOf(driver, 'a')).toBe('body of a');
    clock.advance(61_000);
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /cannot authenticate/);
    server.script = () => undefined;
    clock.advance(30_000);
    expect(await bodyOf(driver, 'a')).toBe('body of a');
  });

  test('after a token was refused is unavailable, not a denial', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a'));
    server.script = ({ isAuthentication }) => failure(isAuthentication ? 503 : 401);
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /cannot authenticate/);
    await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /cannot authenticate/);
  });
});
