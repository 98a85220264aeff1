import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CACHE, cacheModule, type ImageCache } from '@imgproxy-cache/core';
import { createNodeHandler, HttpError, type NodeHandler } from '@imgproxy-cache/http';
import { Container } from 'inversify';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];

class Pictures {
  readonly #serve: NodeHandler;

  constructor(cache: ImageCache) {
    this.#serve = createNodeHandler(cache, { maxAge: 3600 });
  }

  answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/', query] = (request.url ?? '/').split('?');
    const asked = Number(new URLSearchParams(query).get('width'));
    const width = WIDTHS.find((each) => each >= asked) ?? 1200;
    return this.#serve(
      request,
      response,
      { source: path, options: [['width', `${width}`]], format: 'webp' },
      async () => {
        if (path !== '/cat.jpg') throw new HttpError(404, 'Not found');
        return { body: await sharp('cat.jpg').resize(width).webp().toBuffer(), contentType: 'image/webp' };
      },
    );
  }
}

const container = new Container();
container.load(await cacheModule({ resolveFrom: import.meta.url }));
container
  .bind(Pictures)
  .toResolvedValue((cache) => new Pictures(cache), [CACHE.ImageCache])
  .inSingletonScope();
// Checks the store before the first request.
await container.get(CACHE.ImageCache).ready();

const pictures = container.get(Pictures);
const server = createServer((request, response) => pictures.answer(request, response));
server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => container.unbindAllAsync());
    setTimeout(() => server.closeAllConnections(), 10_000).unref();
  });
}
