import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { beforeEach, expect, test } from 'vitest';
import { openTransport, read, setProxies, startServer } from './http-server.js';

beforeEach(() => setProxies());

test('every connection asks for the addresses of its name, and so follows a store that moves', async () => {
  const { port } = await startServer((_request, response) => response.end('moved'));
  let address = '127.0.0.2';
  const lookup: LookupFunction = (_name, options, callback) => {
    if (options.all === true) callback(null, [{ address, family: 4 }]);
    else callback(null, address, 4);
  };
  const { transport } = openTransport({ lookup });
  const origin = `http://store.example.com:${port}`;
  await expect(read(transport, origin)).rejects.toMatchObject({ failure: 'connect', code: 'ECONNREFUSED' });
  address = '127.0.0.1';
  expect(await read(transport, origin)).toBe('moved');
});

test('a name that is not known is told', async () => {
  const lookup: LookupFunction = (_name, _options, callback) =>
    callback(Object.assign(new Error('no such host'), { code: dns.NOTFOUND }), '', 4);
  await expect(read(openTransport({ lookup }).transport, 'http://store.example.com')).rejects.toMatchObject({
    code: 'ENOTFOUND',
    message: 'no connection to store.example.com:80 (ENOTFOUND)',
  });
});
