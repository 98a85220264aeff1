import { type ImageCache, negotiate } from '@imgproxy-cache/core';
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
  readonly #settings: Settings;
  readonly #secret: BearerSecret;

  constructor(cache: ImageCache, urls: UrlParser, renderer: ImageRenderer, settings: Settings) {
    this.#cache = cache;
    this.#urls = urls;
    this.#renderer = renderer;
    this.#settings = settings;
    this.#secret = new BearerSecret(settings.secret);
  }

  addTo(server: FastifyInstance): void {
    server.get('/*', async (request, reply) => {
      const started = performance.now();
      this.#secret.verify(request.headers.authorization);
      // Every line of a repeated header: `request.headers` joins some of them and drops others.
      const headers = request.raw.headersDistinct;
      const wanted = this.#urls.parse(Buffer.from(request.url, 'latin1'), headers);
      const negotiated = negotiate(headers['accept'], this.#settings.negotiation, wanted.format);
      const options = readRenderOptions(wanted, negotiated);
      const { status, image, vary } = await this.#cache.fetch(
        {
          ...toCacheRequest(wanted),
          negotiated,
          headers,
          signal: request.signal,
        },
        ({ signal }) => this.#renderer.render(wanted.source.text, options, signal),
      );
      reply
        .header('Cache-Status', String(status))
        .header('Cache-Control', this.#cacheControl(wanted, vary))
        .header('Server-Timing', `total;dur=${(performance.now() - started).toFixed(1)}`)
        .type(image.contentType);
      if (vary.length > 0) reply.header('Vary', vary.join(', '));
      if (image.size !== undefined) reply.header('Content-Length', image.size);
      return reply.send(image.body());
    });
  }

  /**
   * The URL's own end counts for a hit, too: it is no part of what is stored. What depends on a client's headers or cookies
   * is for that client alone: not every cache on the way heeds `Vary`.
   */
  #cacheControl({ expires = 0 }: ImageRequest, vary: readonly string[]): string {
    const secondsLeft = expires > 0 ? expires - Math.ceil(Date.now() / 1000) : Number.POSITIVE_INFINITY;
    const maxAge = Math.min(this.#settings.ttlSeconds, secondsLeft);
    const scope = vary.every((name) => name === 'Accept') ? 'public' : 'private';
    return maxAge > 0 ? `max-age=${maxAge}, ${scope}` : 'no-cache';
  }
}
