import type { LookupFunction } from 'node:net';
import { describe, expect, test } from 'vitest';
import { authority, openTransport, read, setProxies, startServer } from './http-server.js';
import { startProxy } from './proxy-server.js';

/** A name with an address of each family; the server is at one of them alone. */
const bothFamilies: LookupFunction = (_name, options, callback) => {
  const found = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  if (options.all === true) callback(null, found);
  else callback(null, '::1', 6);
};

describe.each([
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
])('a store at %s', (_family, host) => {
  test.each(['http', 'https'])('is reached by a name that has both families, by %s', async (scheme) => {
    setProxies();
    const { port } = await startServer((_request, response) => response.end('reached'), {
      secure: scheme === 'https',
      host,
    });
    const { transport } = openTransport({ ca: authority, lookup: bothFamilies });
    expect(await read(transport, `${scheme}://store.s3.example.com:${port}`)).toBe('reached');
  });
});

describe('an address of IPv6', () => {
  test('is reached directly', async () => {
    setProxies();
    const { origin } = await startServer((_request, response) => response.end('reached'), { host: '::1' });
    expect(origin).toMatch(/^http:\/\/\[::1\]:/);
    expect(await read(openTransport().transport, origin)).toBe('reached');
  });

  test('is what its certificate must have', async () => {
    setProxies();
    const { origin } = await startServer((_request, response) => response.end(), {
      secure: true,
      host: '::1',
    });
    await expect(read(openTransport({ ca: authority }).transport, origin)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('may be that of the proxy', async () => {
    const { port } = await startServer((_request, response) => response.end('reached'), { secure: true });
    const proxy = await startProxy({ host: '::1' });
    setProxies({ HTTPS_PROXY: `http://[::1]:${proxy.port}` });
    const { transport } = openTransport({ ca: authority });
    expect(await read(transport, `https://127.0.0.1:${port}`)).toBe('reached');
    expect(proxy.requests).toEqual([`CONNECT 127.0.0.1:${port} -`]);
  });

  test('has its brackets in what a proxy is asked for', async () => {
    const proxy = await startProxy({ tunnelStatus: 403 });
    setProxies({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` });
    await expect(read(openTransport().transport, 'https://[::1]')).rejects.toMatchObject({
      message: `no connection to [::1]:443 through the proxy 127.0.0.1:${proxy.port} (PROXY_STATUS_403)`,
    });
    expect(proxy.requests).toEqual(['CONNECT [::1]:443 -']);
  });
});
