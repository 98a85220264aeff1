import type { RequestListener } from 'node:http';
import type { ImageCache, Render } from '@imgproxy-cache/core';
import { createNodeHandler } from '@imgproxy-cache/http';

/** Answers requests with images: the part of a host that is tested here. */
export function imageHandler(cache: ImageCache, render: Render): RequestListener {
  const serve = createNodeHandler(cache);
  return (request, response) => serve(request, response, { source: request.url ?? '/' }, render);
}
