import type { RequestListener, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type ImageCache, isCacheError } from '@imgproxy-cache/core';
import { drawPicture, identityOf, parsePicture } from './picture.js';

/** Answers requests of `node:http` with pictures, from the cache or drawn. */
export function pictureListener(cache: ImageCache): RequestListener {
  return async (request, response) => {
    if (request.url === '/health') return sendText(response, 200, cache.health().status);
    const picture = parsePicture(request.url ?? '');
    if (picture === undefined) return sendText(response, 404, 'Not found');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const { status, image, vary } = await cache.fetch(
        { ...identityOf(picture), headers: request.headersDistinct, signal: gone.signal },
        () => drawPicture(picture),
      );
      response.writeHead(200, {
        'Content-Type': image.contentType,
        ...(image.size !== undefined && { 'Content-Length': image.size }),
        ...cachingHeaders(vary),
        'Cache-Status': String(status),
      });
      await pipeline(image.stream(), response);
    } catch (error) {
      answerError(response, error);
    }
  };
}

/** What depends on a client's headers or cookies is for that client alone: not every cache on the way heeds `Vary`. */
function cachingHeaders(vary: readonly string[]): Record<string, string> {
  const isForAll = vary.every((name) => name === 'Accept');
  return {
    'Cache-Control': `${isForAll ? 'public' : 'private'}, max-age=3600`,
    ...(vary.length > 0 && { Vary: vary.join(', ') }),
  };
}

function answerError(response: ServerResponse, error: unknown): void {
  // Half an answer must not look like a whole one.
  if (response.headersSent) response.destroy();
  // The cache failed and IMGPROXY_CACHE_REPORT_ERRORS is true: nobody may keep this answer.
  else if (isCacheError(error)) sendText(response, 503, error.code);
  else {
    process.stderr.write(`request failed: ${String(error)}\n`);
    sendText(response, 500, 'Internal error');
  }
}

function sendText(response: ServerResponse, status: number, message: string): void {
  response
    .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
    .end(message);
}
