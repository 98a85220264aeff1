import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startService } from './http-service.js';
import { configOf, setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server, testTls } from './s3-server.js';

const SLOW_DOWN = '<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>';

/** What a program prints. It rejects where the exit code is not 0. */
async function outputOf(program: string, argument = '', variables: NodeJS.ProcessEnv = {}): Promise<string> {
  const path = fileURLToPath(new URL(`processes/${program}`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path, argument], {
    env: { ...process.env, ...variables },
  });
  return stdout;
}

test.each([
  ['is closed', 'http://127.0.0.1:9'],
  ['is misspelt', 'http://store.invalid'],
  ['speaks https and is asked by http', undefined],
])('a host whose endpoint %s serves what it renders', async (_what, endpoint) => {
  setEnvironment(TEST_KEYS);
  const output = await outputOf('host.mjs', '', {
    IMGPROXY_CACHE_USE: 's3',
    IMGPROXY_CACHE_BUCKET: 'cache',
    IMGPROXY_CACHE_S3_ENDPOINT: endpoint ?? (await S3Server.start({ tls: testTls })).url,
  });
  expect(output).toMatch(/^(?:rendered imgproxy-cache; fwd=\S+ .*\n){2}$/);
});

test('a driver that is closed while it waits to ask again leaves nothing to wait for', async () => {
  setEnvironment(TEST_KEYS);
  const server = await S3Server.start();
  server.script = () => ({ status: 503, headers: { 'retry-after': '5' }, body: SLOW_DOWN });
  const config = JSON.stringify(configOf({ endpoint: server.url, region: 'us-west-1' }));
  expect(await outputOf('close-while-it-waits.mjs', config)).toBe('ERR_CACHE_CLOSED ends');
});

test('a driver that is closed while its credentials hang lets the process end', async () => {
  const container = await startService(() => undefined);
  setEnvironment({ AWS_CONTAINER_CREDENTIALS_FULL_URI: container.url });
  const config = JSON.stringify(configOf({ endpoint: 'http://127.0.0.1:9', region: 'us-west-1' }));
  expect(await outputOf('close-while-credentials-hang.mjs', config)).toBe('ERR_CACHE_CLOSED');
  expect(container.requests.length).toBeLessThanOrEqual(1);
});
