import { once } from 'node:events';
import net from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, openDriver } from '../open-driver.js';
import { ensureContainer, KEYSTONE, KEYSTONE_URL, OTHER_DOMAIN, Stranger, TEMPAUTH } from './lab.js';

const BUCKET = 'live-store';
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x');
const ACCOUNTS = [
  ['version 1', TEMPAUTH],
  ['version 3', KEYSTONE],
  ['version 3, another domain and region', OTHER_DOMAIN],
] as const;

beforeAll(async () => {
  for (const [, account] of ACCOUNTS) await ensureContainer(new Stranger(account), BUCKET);
});

describe.each(ACCOUNTS)('%s', (_version, account) => {
  const open = () => openDriver({ ...account, bucket: BUCKET });

  test('another client sees the picture with its type and metadata', async () => {
    const { driver } = open();
    await driver.put('seen/a', entryOf('seen/a', Buffer.from('picture'), { contentType: 'image/avif' }));
    const response = await new Stranger(account).fetch(`/${BUCKET}/seen/a`);
    expect(response.headers.get('content-type')).toBe('image/avif');
    expect(response.headers.get('x-object-meta-name')).toBe('seen/a');
    expect(await response.text()).toBe('picture');
    await driver.delete(['seen/a']);
  });

  test('many names are listed, deleted together and gone', async () => {
    const { driver, events } = open();
    const names = Array.from({ length: 5 }, (_, index) => `many/${index} %?#&+"*`).sort();
    for (const name of names) await driver.put(name, entryOf(name));
    expect(await namesIn(driver, 'many/')).toEqual(names);
    await driver.delete([...names, 'many/absent']);
    expect(await namesIn(driver, 'many/')).toEqual([]);
    expect(events.map(({ kind }) => kind)).not.toContain('bulk-delete-refused');
  });

  test('a container that does not exist and a wrong key have clear codes', async () => {
    const nowhere = openDriver({ ...account, bucket: 'live-nowhere' });
    await expectCode(nowhere.driver.get('a'), 'ERR_CACHE_NO_BUCKET', /IMGPROXY_CACHE_BUCKET/);
    await expectCode(nowhere.driver.put('a', entryOf('a')), 'ERR_CACHE_NO_BUCKET');
    const stranger = openDriver({ ...account, bucket: BUCKET, apiKey: 'wrong' });
    await expectCode(stranger.driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /IMGPROXY_CACHE_SWIFT_API_KEY/);
    expect(await open().driver.get('absent')).toBeUndefined();
  });
});

test('Swift deletes what was stored with a lifetime', async () => {
  const { driver } = openDriver({ ...TEMPAUTH, bucket: BUCKET, deleteAfter: 1 });
  await driver.put('short/a', entryOf('short/a'));
  await expect.poll(() => bodyOf(driver, 'short/a'), { timeout: 30_000 }).toBeUndefined();
});

test('when all tokens are revoked, a large put arrives with a new one', async () => {
  const { driver } = openDriver({ ...TEMPAUTH, bucket: BUCKET });
  await driver.put('revoked/a', entryOf('revoked/a'));
  await forgetTokens();
  await driver.put('revoked/a', entryOf('revoked/a', LARGE));
  const entry = await driver.get('revoked/a');
  expect(Buffer.compare((await entry?.bytes()) ?? Buffer.alloc(0), LARGE)).toBe(0);
  await driver.delete(['revoked/a']);
});

describe('rights', () => {
  const bucket = 'live-rights';
  const guest: Parameters<typeof openDriver>[0] = {
    ...TEMPAUTH,
    bucket,
    username: 'test:tester3',
    apiKey: 'testing3',
  };

  async function grant(read: string, write: string): Promise<void> {
    const headers = { 'x-container-read': read, 'x-container-write': write };
    await new Stranger(TEMPAUTH).fetch(`/${bucket}`, { method: 'POST', headers });
  }

  beforeAll(() => ensureContainer(new Stranger(TEMPAUTH), bucket));

  test('to read and to write one container are enough', async () => {
    await grant('test:tester3', 'test:tester3');
    const { driver } = openDriver(guest);
    expect(await driver.check()).toEqual({ ok: true, findings: [] });
    for (const name of ['a', 'b', 'c']) await driver.put(name, entryOf(name));
    await driver.delete(['a', 'b', 'c']);
    expect(await namesIn(driver, '')).toEqual([]);
    expect(await driver.get('absent')).toBeUndefined();
  });

  test.each([
    ['test:tester3', '', 'write', '--write-acl'],
    ['', 'test:tester3', 'read', '--read-acl'],
  ])('read by %j and written by %j lack one, which check() names', async (read, write, subject, option) => {
    await grant(read, write);
    const { ok, findings } = await openDriver(guest).driver.check();
    expect(ok).toBe(false);
    expect(findings[0]).toMatchObject({ subject, error: { code: 'ERR_CACHE_ACCESS_DENIED' } });
    expect(findings[0]?.message).toContain(`swift post "${bucket}" ${option}`);
  });

  test('of a member of the project without a role for Swift are named as missing', async () => {
    const { driver } = openDriver({ ...KEYSTONE, bucket: BUCKET, username: 'reader', apiKey: 'readerpass' });
    const { ok, findings } = await driver.check();
    expect(ok).toBe(false);
    expect(findings[0]?.message).toMatch(/operator_roles/);
  });
});

describe('Keystone', () => {
  test('is asked for its versions where the address has none', async () => {
    const { driver } = openDriver({ ...KEYSTONE, bucket: BUCKET, authUrl: KEYSTONE_URL });
    expect(await driver.get('absent')).toBeUndefined();
  });

  test('has a catalogue of two regions, of which check() asks for one', async () => {
    const { driver } = openDriver({ ...KEYSTONE, bucket: BUCKET });
    expect((await driver.check()).findings).toMatchObject([
      { level: 'warning', subject: 'region', message: expect.stringContaining('RegionOne, RegionTwo') },
    ]);
    const nowhere = openDriver({ ...KEYSTONE, bucket: BUCKET, region: 'RegionThree' });
    await expectCode(nowhere.driver.get('a'), 'ERR_CACHE_CONFIG', /one of RegionOne, RegionTwo/);
  });

  test.each([
    ['another domain', { domain: 'labdomain' }],
    ['another project', { tenant: 'service' }],
    ['a user without a role', { username: 'noproject', apiKey: 'nopass' }],
  ])('refuses %s', async (_what, changes) => {
    const { driver } = openDriver({ ...KEYSTONE, bucket: BUCKET, ...changes });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /IMGPROXY_CACHE_SWIFT_DOMAIN/);
  });

  test('without version 2 says so', async () => {
    const { driver } = openDriver({ ...KEYSTONE, bucket: BUCKET, authUrl: `${KEYSTONE_URL}/v2.0` });
    await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /no authentication of version 2 \(status 404\)/);
  });
});

/** Empties the memcached that holds the tokens of TempAuth. */
async function forgetTokens(): Promise<void> {
  const socket = net.connect(17_511, '127.0.0.1');
  socket.write('flush_all\r\n');
  await once(socket, 'data');
  socket.destroy();
}
