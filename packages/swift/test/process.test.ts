import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testAuthorityFile, testTls } from 'fake-s3';
import { describe, expect, test } from 'vitest';
import { FakeSwift, failure } from './fake-swift.js';
import { authOf, configOf } from './open-driver.js';

/** What a program prints. It rejects where the exit code is not 0. */
async function outputOf(program: string, variables: NodeJS.ProcessEnv = {}, argument = ''): Promise<string> {
  const path = fileURLToPath(new URL(`processes/${program}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, argument], {
    env: { ...process.env, ...variables },
  });
  return stdout;
}

const HOST = {
  IMGPROXY_CACHE_USE: 'swift',
  IMGPROXY_CACHE_BUCKET: 'images',
  IMGPROXY_CACHE_SWIFT_USERNAME: 'test:tester',
  IMGPROXY_CACHE_SWIFT_API_KEY: 'testing',
};

describe('a host', () => {
  test.each([
    ['is closed', 'http://127.0.0.1:9/auth/v1.0'],
    ['is misspelt', 'http://keystone.invalid/v3'],
  ])('whose identity service %s serves what it renders', async (_what, url) => {
    const output = await outputOf('host.mjs', { ...HOST, IMGPROXY_CACHE_SWIFT_AUTH_URL: url });
    expect(output).toMatch(/^(?:rendered imgproxy-cache; fwd=\S+ .*\n){2}$/);
  });

  test('whose store is down serves what it renders', async () => {
    const server = await FakeSwift.start();
    server.identity.storage = () => 'http://127.0.0.1:9/v1/AUTH_test';
    const output = await outputOf('host.mjs', {
      ...HOST,
      IMGPROXY_CACHE_SWIFT_AUTH_URL: `${server.url}/auth/v1.0`,
    });
    expect(output).toMatch(/^(?:rendered imgproxy-cache; fwd=\S+ .*\n){2}$/);
  });

  test.each(['127.0.0.2,127.0.0.1', '127.0.0.1,127.0.0.2'])(
    'reaches identity service and store by https at that of two addresses (%s) that does not refuse',
    async (addresses) => {
      const server = await FakeSwift.start({ tls: testTls });
      server.identity.storage = () => `https://s3.example.com:${server.port}/v1/AUTH_test`;
      const output = await outputOf('host.mjs', {
        ...HOST,
        ADDRESSES: addresses,
        NODE_EXTRA_CA_CERTS: fileURLToPath(testAuthorityFile),
        IMGPROXY_CACHE_SWIFT_AUTH_URL: `https://s3.example.com:${server.port}/v3`,
        IMGPROXY_CACHE_SWIFT_TENANT: 'demo',
        IMGPROXY_CACHE_REPORT_ERRORS: 'true',
      });
      expect(output).toBe('rendered imgproxy-cache; fwd=miss; stored\nrendered imgproxy-cache; hit\n');
    },
  );
});

describe('a driver that is closed lets the process end', () => {
  test('while authentication hangs', async () => {
    const server = await FakeSwift.start();
    server.script = () => () => {};
    const config = JSON.stringify(configOf(authOf(server, 3)));
    expect(await outputOf('close-while-it-waits.mjs', {}, config)).toBe('ERR_CACHE_CLOSED');
  });

  test('while it waits to ask again', async () => {
    const server = await FakeSwift.start();
    server.script = ({ isAuthentication }) =>
      isAuthentication ? undefined : failure(503, { 'retry-after': '5' });
    const config = JSON.stringify(configOf(authOf(server, 1)));
    expect(await outputOf('close-while-it-waits.mjs', {}, config)).toBe('ERR_CACHE_CLOSED');
  });
});
