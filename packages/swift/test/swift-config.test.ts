import swift, { type SwiftConfig } from '@imgproxy-cache/swift';
import { describe, expect, test } from 'vitest';
import { configOf } from './open-driver.js';

const authUrl = 'https://keystone.example.com/v3';

async function faultsOf(changes: Partial<SwiftConfig>) {
  return (await swift.validate?.(configOf({ authUrl, ...changes }))) ?? [];
}

describe('the configuration', () => {
  test.each<readonly [string, Partial<SwiftConfig>]>([
    ['a container and a user', {}],
    ['a container of any characters', { bucket: 'Bilder & Töne 100%' }],
    ['an address without a path', { authUrl: 'http://keystone:5000' }],
    ['a key of any characters, in a document', { apiKey: 'schlüssel ' }],
  ])('takes %s', async (_name, changes) => {
    expect(await faultsOf(changes)).toEqual([]);
  });

  test.each<readonly [string, Partial<SwiftConfig>, RegExp]>([
    ['IMGPROXY_CACHE_BUCKET', { bucket: 'a/b' }, /"a\/b" is not a container's name/],
    ['IMGPROXY_CACHE_BUCKET', { bucket: 'é'.repeat(129) }, /up to 256 bytes/],
    ['IMGPROXY_CACHE_SWIFT_AUTH_URL', { authUrl: 'keystone' }, /is not a URL/],
    ['IMGPROXY_CACHE_SWIFT_AUTH_URL', { authUrl: 'ftp://keystone/v3' }, /another scheme/],
    ['IMGPROXY_CACHE_SWIFT_AUTH_URL', { authUrl: `${authUrl}?x=1` }, /query/],
    ['IMGPROXY_CACHE_SWIFT_USERNAME', { authVersion: 1, username: 'tést' }, /header/],
    ['IMGPROXY_CACHE_SWIFT_API_KEY', { authUrl: 'http://swift/auth/v1.0', apiKey: 'schlüssel' }, /header/],
    ['IMGPROXY_CACHE_SWIFT_API_KEY', { authVersion: 1, apiKey: 'hunter2\n' }, /header/],
  ])('refuses for %s %j', async (variable, changes, message) => {
    expect(await faultsOf(changes)).toEqual([{ variable, message: expect.stringMatching(message) }]);
  });

  test('never repeats a password', async () => {
    const [fault] = await faultsOf({ authUrl: 'http://user:hunter2@keystone/v3' });
    expect(fault?.message).toMatch(/IMGPROXY_CACHE_SWIFT_API_KEY instead/);
    const [key] = await faultsOf({ authVersion: 1, apiKey: 'hunter2\n' });
    expect(`${fault?.message} ${key?.message}`).not.toContain('hunter2');
    expect(swift.config.apiKey.secret).toBe(true);
  });

  test('requires what cannot be guessed, and begins where imgproxy does', () => {
    const required = Object.values(swift.config).flatMap((row) => ('required' in row ? [row.variable] : []));
    expect(required).toEqual([
      'IMGPROXY_CACHE_BUCKET',
      'IMGPROXY_CACHE_SWIFT_AUTH_URL',
      'IMGPROXY_CACHE_SWIFT_USERNAME',
      'IMGPROXY_CACHE_SWIFT_API_KEY',
    ]);
    expect(configOf({})).toMatchObject({
      authVersion: 0,
      tenant: '',
      domain: '',
      region: '',
      timeout: 60,
      connectTimeout: 10,
    });
  });
});
