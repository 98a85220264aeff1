/*
 * A host in a process of its own, with the cache that its environment configures. It sends its port to its parent, and
 * serves over HTTP:
 *
 *   GET /cached/<source>/<version>/<size>/<rendering>   an image through the cache; rendering takes so many milliseconds
 *   GET /plain/<source>/<version>/<size>/<rendering>    the same without a cache
 *   DELETE /<source>                                    deletes an image
 *   POST /                                              closes the cache, and answers with what is still under way
 */
import './resolver.js';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createImageCache } from '@imgproxy-cache/core';
import { type CacheDriverDefinition, isCacheError } from '@imgproxy-cache/core/driver';
import { bodyOf, etagOf, urlOf } from '../images.js';
import type { HostMistake, RequestedCache } from './mistake.js';

// Otherwise hosts would outlive a run that is killed.
process.once('disconnect', () => process.exit());

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const mistakeUrl = process.env['SOAK_MISTAKE'];
const { mistake } = (mistakeUrl === undefined ? { mistake: {} } : await import(mistakeUrl)) as {
  readonly mistake: HostMistake;
};
// Only the driver that is used: a host that is killed soon should start fast.
const { default: definition } = (await import(`@imgproxy-cache/${process.env['IMGPROXY_CACHE_USE']}`)) as {
  readonly default: CacheDriverDefinition;
};
const create: CacheDriverDefinition['create'] = (config, context) => {
  const driver = definition.create(config, context);
  return mistake.driver?.(driver) ?? driver;
};
const cache = await createImageCache({ drivers: [{ ...definition, create }], logger });
const cached: RequestedCache = mistake.cache?.(cache) ?? cache;
const plain = await createImageCache({ env: {}, logger });

const server = http.createServer((request, response) => {
  // The client has gone away, or the body has failed: either way there is nothing more to send.
  answer(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 1024, () => process.send?.((server.address() as AddressInfo).port));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, first = '', ...numbers] = (request.url ?? '').split('/');
  if (request.method === 'GET')
    return await serve(first === 'cached' ? cached : plain, numbers, request, response);
  try {
    if (request.method === 'DELETE') await cached.delete({ source: urlOf(Number(first)) });
    else await cache.close();
    response.end(JSON.stringify(cache.load));
  } catch (error) {
    response.writeHead(isCacheError(error) ? 503 : 500).end(String(error));
  }
}

async function serve(
  through: Pick<RequestedCache, 'fetch'>,
  numbers: readonly string[],
  { headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [source = 0, version = 0, size = 0, rendering = 0] = numbers.map(Number);
  const image = { source, version, size };
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const render = async () => {
    // Renderings only wait, so that many at a time do not slow each other down.
    await delay(rendering);
    return { body: bodyOf(image), contentType: 'image/webp', etag: etagOf(image) };
  };
  const fetched = await through
    .fetch({ source: urlOf(source), headers, signal: gone.signal }, render)
    .catch((error: unknown) => void response.writeHead(503).end(String(error).slice(0, 200)));
  if (fetched === undefined) return;
  response.setHeader('Cache-Status', String(fetched.status));
  if (fetched.image.etag !== undefined) response.setHeader('ETag', fetched.image.etag);
  if (fetched.image.size !== undefined) response.setHeader('Content-Length', fetched.image.size);
  const body = fetched.image.body();
  if (body instanceof Uint8Array) response.end(body);
  else await pipeline(body, response);
}
