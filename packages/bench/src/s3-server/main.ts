/*
 * The cheapest S3 that all contestants can work with, in a process of its own: it has every object of the bucket
 * `b<size>`, takes every signature and every object that is put, and counts requests.
 */
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createEntry, encodeMetadata } from '@imgproxy-cache/core/driver';
import { imageBody } from '../bodies.js';
import type { S3ServerOrder, S3ServerStart } from './protocol.js';

const objects = new Map<number, { readonly body: Buffer; headersOf(name: string): string[] }>();
let requests = 0;

const listener: RequestListener = (request, response) => {
  requests += 1;
  const [, size = '', path = ''] = /^\/b(\d+)\/([^?]*)/.exec(request.url ?? '') ?? [];
  response.sendDate = false;
  if (request.method === 'PUT') {
    request.resume();
    request.once('end', () => response.writeHead(200, ['etag', '"stored"', 'content-length', '0']).end());
    return;
  }
  if (path === '') {
    response.writeHead(404, ['content-length', '0']).end();
    return;
  }
  const { body, headersOf } = objectOf(Number(size));
  response.writeHead(200, headersOf(decodeURIComponent(path)));
  response.end(request.method === 'HEAD' ? undefined : body);
};

process.once('message', ({ tls }: S3ServerStart) => {
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', 1024, () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', (order: S3ServerOrder) => {
    if (order === 'count') process.send?.(requests);
  });
});
// Nobody would stop it if the bench itself were killed.
process.once('disconnect', () => process.exit());

/** All objects of one size have the same body, and metadata that differ by the name alone. */
function objectOf(size: number): { readonly body: Buffer; headersOf(name: string): string[] } {
  const known = objects.get(size);
  if (known !== undefined) return known;
  const body = imageBody(size, 0);
  const { metadata } = createEntry({ name: 'x', contentType: 'image/webp', created: Date.now() }, body);
  const made = {
    body,
    headersOf: (name: string): string[] => {
      const fields = Object.entries(encodeMetadata({ ...metadata, name }));
      return [
        ...['etag', '"stored"', 'content-type', 'image/webp', 'content-length', String(size)],
        ...['last-modified', 'Tue, 24 Nov 2026 00:00:00 GMT'],
        ...fields.flatMap(([field, value]) => [`x-amz-meta-${field}`, value]),
      ];
    },
  };
  objects.set(size, made);
  return made;
}
