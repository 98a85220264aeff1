import { expect, test } from 'vitest';
import { openDriver, openStore, RESERVED_NAME, setEnvironment } from './open-driver.js';
import { failure, redirectWithHeader } from './s3-server.js';

test('check() finds nothing where all is well, and leaves nothing behind', async () => {
  const { server, driver } = await openStore();
  expect(await driver.check()).toEqual({ ok: true, findings: [] });
  expect(server.bucket().objects.size).toBe(0);
  expect(
    server.requests.every(({ key, query }) => key.startsWith(RESERVED_NAME) || query.has('prefix')),
  ).toBe(true);
});

test('check() needs no more than the rights to read and write', async () => {
  const { server, driver } = await openStore();
  server.script = ({ method, key, query }) =>
    method === 'DELETE' || key === '' || query.has('delete') || (method === 'GET' && key.endsWith('-absent'))
      ? failure(403, 'AccessDenied')
      : undefined;
  const { ok, findings } = await driver.check();
  expect(ok).toBe(true);
  expect(findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual([
    'warning list',
    'warning delete',
    'warning list',
  ]);
  expect(findings[0]?.message).toContain('"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::cache"');
  expect(findings[1]?.message).toContain('"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::cache/*"');
});

test.each([
  ['PUT', 'write', 's3:PutObject'],
  ['GET', 'read', 's3:GetObject'],
])('check() without the right to %s names the line of the policy', async (denied, subject, action) => {
  const { server, driver } = await openStore();
  server.script = ({ method, key }) =>
    method === denied && key !== '' ? failure(403, 'AccessDenied') : undefined;
  const { ok, findings } = await driver.check();
  expect(ok).toBe(false);
  expect(findings[0]).toMatchObject({ level: 'error', subject, error: { code: 'ERR_CACHE_ACCESS_DENIED' } });
  expect(findings[0]?.message).toContain(
    `{"Effect": "Allow", "Action": "${action}", "Resource": "arn:aws:s3:::cache/*"}`,
  );
});

test('check() names the variable of a missing bucket, and what credentials there may be', async () => {
  const { server } = await openStore();
  const nowhere = openDriver({ endpoint: server.url, bucket: 'nowhere' });
  expect((await nowhere.driver.check()).findings).toMatchObject([
    { level: 'error', message: expect.stringContaining('IMGPROXY_CACHE_BUCKET') },
  ]);
  setEnvironment();
  const nobody = openDriver({ endpoint: server.url });
  expect((await nobody.driver.check()).findings).toMatchObject([
    { level: 'error', message: expect.stringContaining('AWS_ACCESS_KEY_ID') },
  ]);
});

test('check() tells the region that saves a detour', async () => {
  const { server, driver } = await openStore();
  server.bucket().region = 'eu-central-1';
  server.wrongRegion = redirectWithHeader;
  const { ok, findings } = await driver.check();
  expect(ok).toBe(true);
  expect(findings).toMatchObject([
    {
      level: 'warning',
      subject: 'region',
      message: expect.stringContaining('IMGPROXY_CACHE_S3_REGION=eu-central-1'),
    },
  ]);
});
