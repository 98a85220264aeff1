import { type ImageCache, negotiate } from '@imgproxy-cache/core';
import { createNodeHandler, type NodeHandler } from '@imgproxy-cache/http';
import { type ImageRequest, toCacheRequest, type UrlParser } from '@imgproxy-cache/url';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { logError } from './error-log.js';
import type { ImageRenderer } from './image-renderer.js';
import { readRenderOptions } from './render-options.js';
import type { Settings } from './settings.js';

/** Serves imgproxy's URLs: from the cache, or rendered. */
export class ImageRoute {
  readonly #serve: NodeHandler;
  readonly #urls: UrlParser;
  readonly #renderer: ImageRenderer;
  readonly #settings: Settings;

  constructor(
    cache: ImageCache,
    urls: UrlParser,
    renderer: ImageRenderer,
    settings: Settings,
    log: FastifyBaseLogger,
  ) {
    this.#serve = createNodeHandler(cache, {
      serverTiming: true,
      onError: (error, status) => logError(log, error, status),
    });
    this.#urls = urls;
    this.#renderer = renderer;
    this.#settings = settings;
  }

  addTo(server: FastifyInstance): void {
    server.route({
      method: ['GET', 'HEAD'],
      url: '/*',
      handler: async ({ raw: request }, reply) => {
        const headers = request.headersDistinct;
        const wanted = this.#urls.parse(Buffer.from(request.url ?? '', 'latin1'), headers);
        const negotiated = negotiate(headers['accept'], this.#settings.negotiation, wanted.format);
        const options = readRenderOptions(wanted, negotiated);
        reply.hijack();
        await this.#serve(
          request,
          reply.raw,
          { ...toCacheRequest(wanted), negotiated },
          ({ signal }) => this.#renderer.render(wanted.source.text, options, signal),
          {
            maxAge: this.#maxAge(wanted),
            contentDisposition: {
              filename: wanted.filename ?? stemOf(wanted.source.text),
              attachment: wanted.returnAttachment,
            },
          },
        );
      },
    });
  }

  /** The URL's own end counts for a hit, too: it is no part of what is stored. */
  #maxAge({ expires = 0 }: ImageRequest): number {
    const { ttlSeconds } = this.#settings;
    return expires > 0
      ? Math.max(0, Math.min(ttlSeconds, expires - Math.ceil(Date.now() / 1000)))
      : ttlSeconds;
  }
}

/** The last part of a source's path, without its extension. */
function stemOf(source = ''): string {
  const [path = ''] = source.split(/[?#]/, 1);
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
}
