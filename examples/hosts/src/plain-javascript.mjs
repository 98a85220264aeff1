// @ts-check
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { createImageCache, isCacheError } from '@imgproxy-cache/core';

/**
 * @import { IncomingMessage, ServerResponse } from 'node:http'
 * @import { AddressInfo, Socket } from 'node:net'
 * @import { Rendering } from '@imgproxy-cache/core'
 */

const cache = await createImageCache({ resolveFrom: import.meta.url });

/** @type {Set<Socket>} */
const connections = new Set();
/** @type {Set<ServerResponse>} */
const running = new Set();

const server = createServer(answer).listen(Number(process.env['PORT'] ?? 8080));
server.on('connection', (socket) => {
  connections.add(socket);
  socket.once('close', () => connections.delete(socket));
});
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
  const gone = new AbortController();
  running.add(response);
  response.once('close', () => {
    running.delete(response);
    gone.abort();
    if (!server.listening) closeQuietConnections();
  });
  if (!width || !height || !source) return sendText(response, 404, 'Not found');
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
  // What clients have sent before is read first: those requests are answered.
  await setImmediate();
  closeQuietConnections();
  await once(server, 'close');
  await cache.close();
}

/** Node leaves those open that have sent a part of a request: one silent client would keep the server from ending. */
function closeQuietConnections() {
  const busy = new Set(Array.from(running, ({ req }) => req.socket));
  for (const socket of connections) if (!busy.has(socket)) socket.destroySoon();
}
