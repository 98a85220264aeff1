import { TransportError } from '@imgproxy-cache/http-transport';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openTransport, read, setProxies, startListener, startServer, textOf } from './http-server.js';

beforeEach(() => setProxies());

test('a request and its answer are as they are on the wire', async () => {
  const received: unknown[] = [];
  const { origin } = await startServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method, url, headers } = request;
    received.push({ method, url, body, type: headers['content-type'], host: headers.host });
    response.writeHead(418, { 'x-one': '1', 'X-Two': ['a', 'b'] });
    response.end('short and stout');
  });
  const { transport } = openTransport();
  const { status, headers, body } = await transport.request({
    method: 'PUT',
    origin,
    path: '/a//../b%20c?d=e',
    headers: { host: 'store.example.com', 'content-type': 'image/webp' },
    body: Buffer.from('pixels'),
  });
  expect(status).toBe(418);
  expect(headers).toMatchObject({ 'x-one': '1', 'x-two': 'a, b' });
  expect(await textOf(body)).toBe('short and stout');
  expect(received).toEqual([
    { method: 'PUT', url: '/a//../b%20c?d=e', body: 'pixels', type: 'image/webp', host: 'store.example.com' },
  ]);
});

test('early hints are no answer', async () => {
  const { origin } = await startServer((_request, response) => {
    response.writeEarlyHints({ link: '</a>; rel=preload' });
    response.end('late');
  });
  expect(await read(openTransport().transport, origin)).toBe('late');
});

test('a redirect is an answer', async () => {
  const { origin, requests } = await startServer((_request, response) => {
    response.writeHead(301, { location: '/elsewhere' }).end();
  });
  const { status, body } = await openTransport().transport.request({
    method: 'GET',
    origin,
    path: '/',
    headers: {},
  });
  body.close();
  expect(status).toBe(301);
  expect(requests).toEqual(['GET /']);
});

describe('a deadline', () => {
  test('for the connection passes where TLS does not get through', async () => {
    const accepted = vi.fn();
    const port = await startListener(accepted);
    const { transport, clock } = openTransport({ connectTimeout: 2_000 });
    const asking = read(transport, `https://127.0.0.1:${port}`);
    asking.catch(() => undefined);
    await vi.waitFor(() => expect(accepted).toHaveBeenCalledTimes(1));
    clock.advance(2_000);
    await expect(asking).rejects.toMatchObject({
      name: 'TimeoutError',
      failure: 'connect-timeout',
      timedOut: true,
      retryable: true,
      message: `no connection within 2 s from 127.0.0.1:${port}`,
    });
    expect(transport.connections).toEqual({ open: 0, idle: 0, waiting: 0 });
  });

  test('for the answer passes where the store is silent', async () => {
    const { origin, requests, open } = await startServer(() => {});
    const { transport, clock } = openTransport({ responseTimeout: 5_000 });
    const asking = read(transport, origin, '/secret?token=1');
    asking.catch(() => undefined);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    clock.advance(5_000);
    const error = await asking.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'response-timeout', stale: false });
    expect((error as Error).message).toBe(`no answer within 5 s from ${origin.slice(7)}`);
    await vi.waitFor(() => expect(open()).toBe(0));
    expect(clock.timers).toBe(0);
  });

  test('for the answer includes the wait for a connection', async () => {
    const { origin } = await startServer((_request, response) => response.end(Buffer.alloc(20_000_000)));
    const { transport, clock } = openTransport({ maxConnections: 1 });
    const unread = await transport.request({ method: 'GET', origin, path: '/', headers: {} });
    const waiting = read(transport, origin);
    clock.advance(10_000);
    await expect(waiting).rejects.toThrow(`no free connection within 10 s from ${origin.slice(7)}`);
    unread.body.close();
    expect(transport.connections).toEqual({ open: 0, idle: 0, waiting: 0 });
  });
});

describe('what ends a request', () => {
  test.each(['connecting', 'waiting', 'asked'] as const)('its signal, while it is %s', async (moment) => {
    const { origin, requests, open } = await startServer(() => {});
    const silent = await startListener(() => {});
    const { transport, clock } = openTransport({ maxConnections: 1 });
    const first = moment === 'waiting' ? read(transport, origin) : undefined;
    first?.catch(() => undefined);
    const target = moment === 'connecting' ? `https://127.0.0.1:${silent}` : origin;
    const abort = new AbortController();
    const asking = read(transport, target, '/', { signal: abort.signal });
    asking.catch(() => undefined);
    if (moment !== 'connecting') await vi.waitFor(() => expect(requests).toHaveLength(1));
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(asking).rejects.toBe(reason);
    transport.close();
    await first?.catch(() => undefined);
    await vi.waitFor(() => expect(open()).toBe(0));
    expect(clock.timers).toBe(0);
  });

  test('its signal, before it begins', async () => {
    const { origin, requests } = await startServer(() => {});
    const reason = new Error('never');
    const asking = read(openTransport().transport, origin, '/', { signal: AbortSignal.abort(reason) });
    await expect(asking).rejects.toBe(reason);
    expect(requests).toEqual([]);
  });

  test('the end of the transport', async () => {
    const { origin, requests, open } = await startServer(() => {});
    const { transport } = openTransport();
    const asking = read(transport, origin);
    asking.catch(() => undefined);
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    transport.close();
    await expect(asking).rejects.toMatchObject({ failure: 'closed', retryable: false });
    await expect(read(transport, origin)).rejects.toMatchObject({ failure: 'closed' });
    await vi.waitFor(() => expect(open()).toBe(0));
  });
});

describe('an error', () => {
  test('names the host that nobody answers at, and the code', async () => {
    const { origin, server } = await startServer(() => {});
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await expect(read(openTransport().transport, origin)).rejects.toMatchObject({
      name: 'TransportError',
      failure: 'connect',
      code: 'ECONNREFUSED',
      retryable: true,
      message: `no connection to ${origin.slice(7)} (ECONNREFUSED)`,
    });
  });

  test('says that what answers is not HTTP', async () => {
    const port = await startListener((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    await expect(read(openTransport().transport, `http://127.0.0.1:${port}`)).rejects.toMatchObject({
      failure: 'broken',
      stale: false,
    });
  });

  test.each(['reset', 'end'] as const)(
    'says that the connection ended without an answer (%s)',
    async (way) => {
      const { origin } = await startServer(({ socket }) => {
        if (way === 'reset') socket.resetAndDestroy();
        else socket.end();
      });
      const error: unknown = await read(openTransport().transport, origin).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TransportError);
      expect(error).toMatchObject({ failure: 'broken', stale: false, retryable: true });
    },
  );
});
