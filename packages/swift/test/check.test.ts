import { testAuthority, testTls } from 'fake-s3';
import { expect, test } from 'vitest';
import { FakeSwift, failure } from './fake-swift.js';
import { authOf, openDriver, openStore, RESERVED_NAME } from './open-driver.js';

test('check() finds nothing where all is well, and leaves nothing behind', async () => {
  const { server, driver } = await openStore();
  expect(await driver.check()).toEqual({ ok: true, findings: [] });
  expect(server.objects.size).toBe(0);
  const objects = server.requests.filter(({ path }) => path.startsWith('/v1/AUTH_test/images/'));
  expect(objects.every(({ path }) => path.endsWith(`/images/${RESERVED_NAME}`))).toBe(true);
});

test.each([
  ['PUT', 'write', '--write-acl'],
  ['GET', 'read', '--read-acl'],
])(
  'check() without the right to %s names the least right that is missing',
  async (denied, subject, option) => {
    const { server, driver } = await openStore();
    server.script = ({ method, path }) =>
      method === denied && path.includes('/images/') ? failure(403) : undefined;
    const { ok, findings } = await driver.check();
    expect(ok).toBe(false);
    expect(findings[0]).toMatchObject({
      level: 'error',
      subject,
      error: { code: 'ERR_CACHE_ACCESS_DENIED' },
    });
    expect(findings[0]?.message).toContain(`swift post "images" ${option}`);
  },
);

test('check() warns of what is lost without the rights to list and to delete', async () => {
  const { server, driver } = await openStore();
  server.script = ({ method, query }) =>
    method === 'DELETE' || query.has('format') ? failure(403) : undefined;
  const { ok, findings } = await driver.check();
  expect(ok).toBe(true);
  expect(findings).toMatchObject([
    { level: 'warning', subject: 'list', message: expect.stringContaining('purging a source will not work') },
    { level: 'warning', subject: 'delete', message: expect.stringContaining('--write-acl') },
  ]);
});

test('check() names the variable of a missing container, and those of wrong credentials', async () => {
  const { server } = await openStore();
  const nowhere = openDriver({ ...authOf(server, 1), bucket: 'nowhere' });
  expect((await nowhere.driver.check()).findings).toMatchObject([
    { level: 'error', message: expect.stringContaining('IMGPROXY_CACHE_BUCKET') },
  ]);
  const nobody = openDriver({ ...authOf(server, 3), apiKey: 'wrong' });
  expect((await nobody.driver.check()).findings).toMatchObject([
    { level: 'error', message: expect.stringContaining('IMGPROXY_CACHE_SWIFT_API_KEY') },
  ]);
});

test('check() asks for a region where the catalogue has several', async () => {
  const { server } = await openStore();
  const first = openDriver(authOf(server, 3));
  expect(await first.driver.check()).toMatchObject({
    ok: true,
    findings: [
      {
        level: 'warning',
        subject: 'region',
        message: expect.stringMatching(/RegionOne, RegionTwo.*IMGPROXY_CACHE_SWIFT_REGION/),
      },
    ],
  });
  const chosen = openDriver({ ...authOf(server, 3), region: 'RegionTwo' });
  expect((await chosen.driver.check()).findings).toEqual([]);
});

test('check() warns of a store without encryption behind an identity service with it', async () => {
  const identity = await FakeSwift.start({ tls: testTls });
  const store = await FakeSwift.start();
  identity.identity.storage = () => `${store.url}/v1/AUTH_test`;
  store.identity.isValid = () => true;
  const { driver } = openDriver({ ...authOf(identity, 1) }, { ca: testAuthority });
  expect(await driver.check()).toMatchObject({
    ok: true,
    findings: [{ level: 'warning', subject: 'encryption' }],
  });
});
