/*
 * Makes the fake S3 the cheapest that all contestants can work with: it has every object of the bucket `b<size>` and none
 * of `missing`, and takes every object that is put.
 */
import { createEntry, encodeMetadata } from '@imgproxy-cache/core/driver';
import type { ServerScript } from 'fake-s3';
import { imageBody } from './bodies.js';

const NOT_FOUND = Buffer.from(
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>',
);
const NOT_FOUND_HEADERS = ['content-type', 'application/xml', 'content-length', String(NOT_FOUND.length)];

const objects = new Map<number, { readonly body: Buffer; headersOf(name: string): string[] }>();

export const script: ServerScript = (server) => {
  server.scriptHead =
    ({ method, bucket, key }) =>
    (response, request) => {
      response.sendDate = false;
      if (method === 'PUT') {
        request.resume();
        request.once('end', () => response.writeHead(200, ['etag', '"stored"', 'content-length', '0']).end());
        return;
      }
      if (key === '') {
        response.writeHead(404, ['content-length', '0']).end();
        return;
      }
      if (bucket === 'missing') {
        response.writeHead(404, NOT_FOUND_HEADERS).end(method === 'HEAD' ? undefined : NOT_FOUND);
        return;
      }
      const { body, headersOf } = objectOf(Number(bucket.slice(1)));
      response.writeHead(200, headersOf(key));
      response.end(method === 'HEAD' ? undefined : body);
    };
  return undefined;
};

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
