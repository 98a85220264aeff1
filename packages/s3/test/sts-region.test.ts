import { createHash } from 'node:crypto';
import dns from 'node:dns';
import type net from 'node:net';
import { dirname } from 'node:path';
import type { S3Config } from '@imgproxy-cache/s3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openDriver, setEnvironment, TEST_KEYS } from './open-driver.js';
import { fileOf } from './written-file.js';

const ROLE = 'arn:aws:iam::123456789012:role/images';

/** The hosts that a look-up asks for, none of which is there, and what the process prints meanwhile. */
async function hostsAsked(config: Partial<S3Config>): Promise<readonly string[]> {
  const hosts = new Set<string>();
  const lookup = ((name, _options, callback) => {
    hosts.add(name);
    callback(Object.assign(new Error('no such host'), { code: dns.NOTFOUND }), '', 4);
  }) as net.LookupFunction;
  const printed = [vi.spyOn(console, 'warn'), vi.spyOn(process.stderr, 'write')];
  onTestFinished(() => void vi.restoreAllMocks());
  const { driver } = openDriver(config, { lookup });
  await expect(driver.get('a')).rejects.toMatchObject({
    code: 'ERR_CACHE_UNAVAILABLE',
    message: expect.stringContaining('AWS_ENDPOINT_URL_STS'),
  });
  for (const print of printed) expect(print).not.toHaveBeenCalled();
  return [...hosts];
}

async function useProfile(lines: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const base = '[profile base]\naws_access_key_id = TESTKEY\naws_secret_access_key = test-secret\n';
  const path = await fileOf(`${base}[profile images]\n${lines}\n`);
  setEnvironment({ AWS_CONFIG_FILE: path, AWS_PROFILE: 'images', ...variables });
}

describe('with only IMGPROXY_CACHE_S3_REGION, the STS of that region is asked, and nothing is printed', () => {
  const config = { region: 'eu-central-1' };

  test('by web identity', async () => {
    const file = await fileOf('json.web.token');
    setEnvironment({ AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: ROLE });
    expect(await hostsAsked(config)).toEqual(['sts.eu-central-1.amazonaws.com']);
  });

  test('by a profile with a role', async () => {
    await useProfile(`role_arn = ${ROLE}\nsource_profile = base`);
    expect(await hostsAsked(config)).toEqual(['sts.eu-central-1.amazonaws.com']);
  });

  test('by a profile with a role and keys of the environment', async () => {
    await useProfile(`role_arn = ${ROLE}\ncredential_source = Environment`, TEST_KEYS);
    expect(await hostsAsked(config)).toEqual(['sts.eu-central-1.amazonaws.com']);
  });

  test('by a profile with web identity', async () => {
    await useProfile(`role_arn = ${ROLE}\nweb_identity_token_file = ${await fileOf('json.web.token')}`);
    expect(await hostsAsked(config)).toEqual(['sts.eu-central-1.amazonaws.com']);
  });

  test('by a role of the cache’s own', async () => {
    setEnvironment(TEST_KEYS);
    expect(await hostsAsked({ ...config, assumeRoleArn: ROLE })).toEqual(['sts.eu-central-1.amazonaws.com']);
  });
});

test('a profile that names its region is asked for there', async () => {
  await useProfile(`role_arn = ${ROLE}\nsource_profile = base\nregion = eu-north-1`);
  expect(await hostsAsked({ region: 'eu-central-1' })).toEqual(['sts.eu-north-1.amazonaws.com']);
});

test('single sign-on is asked in the region of its own', async () => {
  const start = 'https://example.awsapps.com/start';
  const name = `${createHash('sha1').update(start).digest('hex')}.json`;
  const token = JSON.stringify({ accessToken: 'token', expiresAt: '2999-01-01T00:00:00Z' });
  const path = await fileOf(token, `.aws/sso/cache/${name}`);
  await useProfile(
    `sso_start_url = ${start}\nsso_region = eu-north-1\nsso_account_id = 123456789012\nsso_role_name = images`,
    { HOME: path.slice(0, dirname(path).length - '/.aws/sso/cache'.length) },
  );
  const lookup = vi.fn((name_, _options, callback) => {
    callback(Object.assign(new Error('no such host'), { code: dns.NOTFOUND }), '', 4);
    return name_;
  });
  const { driver } = openDriver({ region: 'eu-central-1' }, { lookup: lookup as net.LookupFunction });
  await expect(driver.get('a')).rejects.toMatchObject({ message: expect.stringMatching(/profile "images"/) });
  expect(new Set(lookup.mock.calls.map(([host]) => host))).toEqual(
    new Set(['portal.sso.eu-north-1.amazonaws.com']),
  );
});
