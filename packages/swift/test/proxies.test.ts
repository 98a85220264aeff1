import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDriver } from './open-driver.js';

const CONFIG = {
  authUrl: 'http://identity.example.com/v3',
  authVersion: 3,
  username: 'user',
  apiKey: 'key',
} as const;

test.each([
  [
    'does not answer',
    0,
    /through the proxy 127\.0\.0\.1:\d+ \(ECONNREFUSED\): check the proxy, and HTTP_PROXY/,
  ],
  [
    'asks for a password',
    407,
    /the proxy asks for a user and password \(status 407\): set them in HTTP_PROXY/,
  ],
])('a proxy that %s is named', async (_, status, message) => {
  const proxy = http.createServer((_request, response) => response.writeHead(status).end());
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as AddressInfo;
  const close = () => new Promise((resolve) => proxy.close(resolve));
  if (status === 0) await close();
  else onTestFinished(async () => void (await close()));
  vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${port}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { driver } = openDriver(CONFIG);
  onTestFinished(() => driver.close());
  await expect(driver.get('v1/ab/cd/entry')).rejects.toThrow(message);
});
