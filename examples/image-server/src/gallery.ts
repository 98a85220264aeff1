import { readFile } from 'node:fs/promises';
import { signPath, type UrlConfig } from '@imgproxy-cache/url';
import type { FastifyInstance } from 'fastify';
import type { CacheDescription } from './cache-description.js';
import type { LocalSources } from './local-sources.js';

const MAX_PICTURES = 24;
const FORMATS = ['webp', 'jpeg', 'png'];
const WIDTHS = [160, 320, 640];

const FILES = [
  { route: '/', file: 'gallery.html', type: 'text/html; charset=utf-8' },
  { route: '/gallery.css', file: 'gallery.css', type: 'text/css; charset=utf-8' },
  { route: '/gallery.js', file: 'gallery.js', type: 'text/javascript; charset=utf-8' },
];
const CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' blob: data:";

/** The page that shows what the cache does with the pictures in the folder. */
export class Gallery {
  readonly #sources: LocalSources;
  readonly #urls: Partial<UrlConfig>;
  readonly #cache: CacheDescription;

  constructor(sources: LocalSources, urls: Partial<UrlConfig>, cache: CacheDescription) {
    this.#sources = sources;
    this.#urls = urls;
    this.#cache = cache;
  }

  addTo(server: FastifyInstance): void {
    for (const { route, file, type } of FILES) {
      const location = new URL(`../public/${file}`, import.meta.url);
      server.get(route, async (_request, reply) =>
        reply
          .type(type)
          .header('Cache-Control', 'no-cache')
          .header('Content-Security-Policy', CONTENT_SECURITY_POLICY)
          .send(await readFile(location)),
      );
    }
    server.get('/gallery.json', async (_request, reply) => {
      const names = await this.#sources.list(MAX_PICTURES);
      reply.header('Cache-Control', 'no-store');
      return {
        cache: this.#cache,
        example: this.#example(names),
        pictures: names.map((name) => ({ name, variants: this.#variants(name) })),
      };
    });
  }

  /** A picture of a size that is not among the variants, so that the page's own requests do not change what it shows. */
  #example([name]: readonly string[]): { name: string; url: string } | undefined {
    if (name === undefined) return undefined;
    return { name, url: this.#url(`/rs:fit:480:480/plain/local:///${encodeURIComponent(name)}@webp`) };
  }

  #variants(name: string): { format: string; width: number; url: string }[] {
    return FORMATS.flatMap((format) =>
      WIDTHS.map((width) => ({
        format,
        width,
        url: this.#url(`/rs:fit:${width}:${width}/plain/local:///${encodeURIComponent(name)}@${format}`),
      })),
    );
  }

  #url(path: string): string {
    const { keys = [], pathPrefix = '' } = this.#urls;
    return keys.length > 0 ? signPath(path, this.#urls) : `${pathPrefix}/unsigned${path}`;
  }
}
