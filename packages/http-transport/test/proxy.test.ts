import { ProxyConfigurationError } from '@imgproxy-cache/http-transport';
import { describe, expect, test } from 'vitest';
import { authority, openTransport, read, setProxies, startServer } from './http-server.js';
import { startProxy } from './proxy-server.js';

const basic = `Basic ${Buffer.from('us er:p@ss').toString('base64')}`;

describe.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])('%s', (variable) => {
  test('takes http requests to the proxy, which alone sees its password', async () => {
    const seen: unknown[] = [];
    const { port } = await startServer(({ headers, url }, response) => {
      seen.push(headers['proxy-authorization'], headers.host, url);
      response.end('through');
    });
    const proxy = await startProxy();
    setProxies({ [variable]: `http://us%20er:p%40ss@127.0.0.1:${proxy.port}` });
    const { transport } = openTransport();
    const origin = `http://store.invalid:${port}`;
    expect(await read(transport, origin, '/a?b=c')).toBe('through');
    expect(await read(transport, origin, '/a?b=c')).toBe('through');
    expect(proxy.requests).toEqual(Array(2).fill(`GET ${origin}/a?b=c ${basic}`));
    expect(seen.slice(0, 3)).toEqual([undefined, `store.invalid:${port}`, '/a?b=c']);
  });
});

describe.each(['HTTPS_PROXY', 'https_proxy'])('%s', (variable) => {
  test('takes https requests through a tunnel, and the certificate is that of the host', async () => {
    const server = await startServer((_request, response) => response.end('through'), { secure: true });
    const proxy = await startProxy();
    setProxies({ [variable]: `http://us%20er:p%40ss@127.0.0.1:${proxy.port}` });
    const { transport } = openTransport({ ca: authority });
    const host = `s3.example.com:${server.port}`;
    expect(await read(transport, `https://${host}`)).toBe('through');
    expect(await read(transport, `https://${host}`)).toBe('through');
    expect(proxy.requests).toEqual([`CONNECT ${host} ${basic}`]);
    await expect(read(transport, `https://other.invalid:${server.port}`)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      retryable: false,
    });
  });
});

test('a proxy that is asked over TLS takes http requests as they are, and no tunnel', async () => {
  const { port } = await startServer((_request, response) => response.end('through'));
  const proxy = await startProxy({ secure: true });
  setProxies({ HTTP_PROXY: `https://user:pass@127.0.0.1:${proxy.port}` });
  const origin = `http://store.invalid:${port}`;
  expect(await read(openTransport({ ca: authority }).transport, origin, '/a')).toBe('through');
  expect(proxy.requests).toEqual([`GET ${origin}/a Basic ${Buffer.from('user:pass').toString('base64')}`]);
});

test('NO_PROXY names what is asked directly', async () => {
  const { origin } = await startServer((_request, response) => response.end('direct'));
  setProxies({ HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: 'example.com,127.0.0.1' });
  expect(await read(openTransport().transport, origin)).toBe('direct');
});

test.each([407, 403])(
  'a proxy that refuses the tunnel with %i is told, without its password',
  async (status) => {
    const proxy = await startProxy({ tunnelStatus: status });
    setProxies({ HTTPS_PROXY: `http://user:hunter2@127.0.0.1:${proxy.port}` });
    const error: unknown = await read(openTransport().transport, 'https://s3.example.com').catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      failure: 'connect',
      retryable: false,
      proxy: `127.0.0.1:${proxy.port}`,
      message: `no connection to s3.example.com:443 through the proxy 127.0.0.1:${proxy.port} (PROXY_STATUS_${status})`,
    });
    expect(String((error as Error).cause)).not.toContain('hunter2');
  },
);

test.each(['socks5://user:hunter2@127.0.0.1:1080', 'http://user:hunter2@:x'])(
  'a proxy that cannot be used is refused at the request, without its password (%s)',
  async (value) => {
    setProxies({ HTTPS_PROXY: value });
    const error: unknown = await read(openTransport().transport, 'https://s3.example.com').catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ProxyConfigurationError);
    expect(String(error)).not.toContain('hunter2');
  },
);

test('a proxy that is not there is told', async () => {
  setProxies({ HTTPS_PROXY: 'http://127.0.0.1:9' });
  await expect(read(openTransport().transport, 'https://s3.example.com')).rejects.toMatchObject({
    failure: 'connect',
    proxy: '127.0.0.1:9',
    code: 'ECONNREFUSED',
  });
});
