// @ts-check
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { createImageCache, isCacheError } from '@imgproxy-cache/core';

/**
 * @import { IncomingMessage, ServerResponse } from 'node:http'
 * @import { AddressInfo } from 'node:net'
 * @import { Rendering } from '@imgproxy-cache/core'
 */

const cache = await createImageCache({ resolveFrom: import.meta.url });

const server = createServer(answer).listen(Number(process.env['PORT'] ?? 8080));
await once(server, 'listening');
const { port } = /** @type {AddressInfo} */ (server.address());
process.stdout.write(`listening on http://localhost:${port}\n`);

process.once('SIGTERM', stop).once('SIGINT', stop);

/**
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 */
async function answer(request, response) {
  const [, width, height, source] = /^\/(\d{1,4})x(\d{1,4})\/(.+)$/.exec(request.url ?? '') ?? [];
  if (!width || !height || !source) return sendText(response, 404, 'Not found');
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
    // A connection that its client keeps for further requests would keep a stopping server from ending.
    if (!server.listening) server.closeIdleConnections();
  });
  try {
    const { status, image, vary } = await cache.fetch(
      {
        source,
        options: [
          ['width', width],
          ['height', height],
        ],
        headers: request.headersDistinct,
        signal: gone.signal,
      },
      () => render(source, width, height),
    );
    // What depends on a client's headers or cookies is for that client alone: not every cache on the way heeds Vary.
    const isForAll = vary.every((name) => name === 'Accept');
    response.writeHead(200, {
      'Content-Type': image.contentType,
      ...(image.size !== undefined && { 'Content-Length': image.size }),
      'Cache-Control': `${isForAll ? 'public' : 'private'}, max-age=3600`,
      ...(vary.length > 0 && { Vary: vary.join(', ') }),
      'Cache-Status': String(status),
    });
    await pipeline(image.stream(), response);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else if (isCacheError(error)) sendText(response, 503, error.code);
    else sendText(response, 500, 'Internal error');
  }
}

/**
 * @param {string} source
 * @param {string} width
 * @param {string} height
 * @returns {Rendering}
 */
function render(source, width, height) {
  const hue = crc32(source) % 360;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
  <rect width="100%" height="100%" fill="hsl(${hue} 60% 60%)"/>
</svg>`;
  return { body: Buffer.from(svg), contentType: 'image/svg+xml' };
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {string} message
 */
function sendText(response, status, message) {
  response.writeHead(status, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end(message);
}

/** The server first: the cache still takes what the last requests have to store. */
async function stop() {
  server.close();
  await once(server, 'close');
  await cache.close();
}
