/*
 * A server of images in a process of its own: `bare` node:http, or a host on @imgproxy-cache/http with its images in memory.
 * Its parent asks for the CPU time that it has used.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeHandler } from '@imgproxy-cache/http';
import { IMAGES, imageBody } from '../bodies.js';
import { openCache, renderer, requestOf } from '../peers/imgproxy-cache.js';

const [kind = '', size = ''] = process.argv.slice(2);
const bodies = Array.from({ length: IMAGES }, (_, index) => imageBody(Number(size), index));

async function listenerOf(): Promise<RequestListener> {
  const indexOf = (url = ''): number => Number(url.slice(1)) % IMAGES;
  if (kind === 'bare') {
    return ({ url }, response) => {
      const body = bodies[indexOf(url)];
      response.writeHead(200, { 'Content-Type': 'image/webp', 'Content-Length': Number(size) }).end(body);
    };
  }
  const cache = await openCache({
    IMGPROXY_CACHE_USE: 'memory',
    IMGPROXY_CACHE_REPORT_ERRORS: '1',
    IMGPROXY_CACHE_MEMORY_MAX_SIZE: '200000000',
  });
  for (const [index, body] of bodies.entries()) await cache.fetch(requestOf(index), renderer(body));
  const handle = createNodeHandler(cache);
  return (request, response) => {
    void handle(request, response, requestOf(indexOf(request.url)), () => {
      throw new Error('a miss where a hit was expected');
    });
  };
}

const server = createServer(await listenerOf());
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.on('disconnect', () => process.exit());
