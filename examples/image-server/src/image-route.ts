import type { ImageCache } from '@imgproxy-cache/core';
import { type ImageRequest, toCacheRequest, type UrlParser } from '@imgproxy-cache/url';
import type { FastifyInstance } from 'fastify';
import { BearerSecret } from './bearer-secret.js';
import type { ImageRenderer } from './image-renderer.js';
import { readRenderOptions } from './render-options.js';
import type { Settings } from './settings.js';

/** Serves imgproxy's URLs: from the cache, or rendered. */
export class ImageRoute {
  readonly #cache: ImageCache;
  readonly #urls: UrlParser;
  readonly #renderer: ImageRenderer;
  readonly #ttlSeconds: number;
  readonly #secret: BearerSecret;

  constructor(cache: ImageCache, urls: UrlParser, renderer: ImageRenderer, { ttlSeconds, secret }: Settings) {
    this.#cache = cache;
    this.#urls = urls;
    this.#renderer = renderer;
    this.#ttlSeconds = ttlSeconds;
    this.#secret = new BearerSecret(secret);
  }

  addTo(server: FastifyInstance): void {
    server.get('/*', async (request, reply) => {
      const started = performance.now();
      this.#secret.verify(request.headers.authorization);
      const wanted = this.#urls.parse(Buffer.from(request.url, 'latin1'));
      const options = readRenderOptions(wanted);
      const { status, image } = await this.#cache.fetch(
        {
          ...toCacheRequest(wanted),
          // Every line of a repeated header: `request.headers` joins some of them and drops others.
          headers: request.raw.headersDistinct,
          signal: request.signal,
        },
        ({ signal }) => this.#renderer.render(wanted.source.text, options, signal),
      );
      reply
        .header('Cache-Status', String(status))
        .header('Cache-Control', this.#cacheControl(wanted))
        .header('Server-Timing', `total;dur=${(performance.now() - started).toFixed(1)}`)
        .type(image.contentType);
      if (image.size !== undefined) reply.header('Content-Length', image.size);
      return reply.send(image.body());
    });
  }

  /** The URL's own end counts for a hit, too: it is no part of what is stored. */
  #cacheControl({ expires = 0 }: ImageRequest): string {
    const secondsLeft = expires > 0 ? expires - Math.ceil(Date.now() / 1000) : Number.POSITIVE_INFINITY;
    const maxAge = Math.min(this.#ttlSeconds, secondsLeft);
    return maxAge > 0 ? `max-age=${maxAge}, public` : 'no-cache';
  }
}
