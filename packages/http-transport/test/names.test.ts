import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { beforeEach, expect, test } from 'vitest';
import { openTransport, read, setProxies, startServer } from './http-server.js';

beforeEach(() => setProxies());

/** Knows every name, as the addresses given, and counts. */
function resolving(addresses: () => readonly string[]): { lookup: LookupFunction; asked: () => number } {
  let asked = 0;
  const lookup: LookupFunction = (_name, options, callback) => {
    asked += 1;
    const found = addresses().map((address) => ({ address, family: 4 }));
    setImmediate(() => {
      if (options.all === true) callback(null, found);
      else callback(null, found[0]?.address ?? '', 4);
    });
  };
  return { lookup, asked: () => asked };
}

test('the addresses of a name are asked for once, and again after a while', async () => {
  const { port, sockets } = await startServer((_request, response) => response.end('x'));
  const { lookup, asked } = resolving(() => ['127.0.0.1']);
  const { transport, clock } = openTransport({ lookup });
  const origin = `http://store.example.com:${port}`;
  await Promise.all(Array.from({ length: 20 }, () => read(transport, origin)));
  expect(sockets).toHaveLength(20);
  expect(asked()).toBe(1);
  clock.advance(31_000);
  await read(transport, origin, '/', { fresh: true });
  expect(asked()).toBe(2);
});

test('a connection that fails makes the next one ask again', async () => {
  const { port } = await startServer((_request, response) => response.end('moved'));
  let address = '127.0.0.2';
  const { lookup, asked } = resolving(() => [address]);
  const { transport } = openTransport({ lookup });
  const origin = `http://store.example.com:${port}`;
  await expect(read(transport, origin)).rejects.toMatchObject({ failure: 'connect' });
  address = '127.0.0.1';
  expect(await read(transport, origin)).toBe('moved');
  expect(asked()).toBe(2);
});

test('a name that is not known is told', async () => {
  const lookup: LookupFunction = (_name, _options, callback) =>
    callback(Object.assign(new Error('no such host'), { code: dns.NOTFOUND }), '', 4);
  await expect(read(openTransport({ lookup }).transport, 'http://store.example.com')).rejects.toMatchObject({
    code: 'ENOTFOUND',
    message: 'no connection to store.example.com:80 (ENOTFOUND)',
  });
});
