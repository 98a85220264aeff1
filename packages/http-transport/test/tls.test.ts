import { execFile } from 'node:child_process';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import { authority, authorityFile, openTransport, read, setProxies, startServer } from './http-server.js';

beforeEach(() => setProxies());

test('a certificate that nobody vouches for is refused, and not asked again', async () => {
  const { origin, requests } = await startServer((_request, response) => response.end(), { secure: true });
  await expect(read(openTransport().transport, origin)).rejects.toMatchObject({
    failure: 'connect',
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    retryable: false,
  });
  expect(requests).toEqual([]);
});

test('every connection looks at the certificate', async () => {
  const { origin, sockets } = await startServer((_request, response) => response.end('x'), { secure: true });
  const { transport } = openTransport({ ca: authority });
  for (let round = 0; round < 3; round += 1) await read(transport, origin, '/', { fresh: true });
  expect(sockets.map((socket) => (socket as TLSSocket).isSessionReused())).toEqual([false, false, false]);
});

test('NODE_EXTRA_CA_CERTS adds an authority', async () => {
  const { origin } = await startServer((_request, response) => response.end('trusted'), { secure: true });
  const asking = (extra: NodeJS.ProcessEnv) =>
    promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('processes/ask.mjs', import.meta.url)), origin],
      { env: { ...process.env, ...extra } },
    );
  const { stdout } = await asking({ NODE_EXTRA_CA_CERTS: fileURLToPath(authorityFile) });
  expect(stdout).toBe('trusted');
  expect((await asking({})).stdout).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});
