import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ImageCache, isCacheError, type Render } from '@imgproxy-cache/core';

/** Answers requests for images: the part of a host that is tested here. */
export function imageHandler(cache: ImageCache, render: Render) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const { status, image } = await cache.fetch(
        { source: request.url ?? '/', headers: request.headersDistinct },
        render,
      );
      response.setHeader('Cache-Status', String(status));
      response.setHeader('Content-Type', image.contentType);
      response.end(await image.bytes());
    } catch (error) {
      response.setHeader('Cache-Control', 'no-store');
      response.writeHead(isCacheError(error) ? 503 : 500).end();
    }
  };
}
