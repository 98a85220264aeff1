import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { ImageCache } from '@imgproxy-cache/core';
import { urlOf } from '../images.js';
import type { HostCache } from './host-cache.js';
import { render } from './requests.js';

/**
 * Serves a host's images over HTTP: `/cached/<source>/<size>` through its cache, `/plain/<source>/<size>` without.
 * @param rendering what rendering takes, in milliseconds
 * @returns its port
 */
export async function serveImages({ door, off }: HostCache, rendering: number): Promise<number> {
  const server = http.createServer((request, response) => {
    const [, kind, source, size] = (request.url ?? '').split('/');
    const image = { source: Number(source), size: Number(size) };
    // The client has gone away, or the body has broken: either way there is nothing more to send.
    serve(kind === 'cached' ? door : off, image, rendering, request, response).catch(() =>
      response.destroy(),
    );
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(
  cache: Pick<ImageCache, 'fetch'>,
  { source, size }: { readonly source: number; readonly size: number },
  rendering: number,
  { headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const fetched = await cache
    .fetch({ source: urlOf(source), headers, signal: gone.signal }, () =>
      render({ source, version: 0, size }, rendering),
    )
    .catch((error: unknown) => void response.writeHead(503).end(String(error).slice(0, 200)));
  if (fetched === undefined) return;
  const { status, image } = fetched;
  response.setHeader('Cache-Status', String(status));
  if (image.etag !== undefined) response.setHeader('ETag', image.etag);
  if (image.size !== undefined) response.setHeader('Content-Length', image.size);
  const body = image.body();
  if (body instanceof Uint8Array) response.end(body);
  else await pipeline(body, response);
}
