import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CACHE, cacheModule } from '@imgproxy-cache/core';
import { createNodeHandler, HttpError, type NodeHandler } from '@imgproxy-cache/http';
import { Container } from 'inversify';
import sharp from 'sharp';

// Every width is one more image to render and to store.
const WIDTHS = [150, 300, 600, 1200];
const SERVE = Symbol.for('child-containers:serve');

/** Lives as long as one request. */
class AccessLog {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  write(): void {
    // Without the query, which may hold a signature.
    const [path] = (this.#request.url ?? '/').split('?');
    process.stdout.write(`${this.#request.method} ${path} ${this.#response.statusCode}\n`);
  }
}

const container = new Container();
container.load(await cacheModule({ resolveFrom: import.meta.url }));
container
  .bind<NodeHandler>(SERVE)
  .toResolvedValue((cache) => createNodeHandler(cache, { maxAge: 3600 }), [CACHE.ImageCache])
  .inSingletonScope();
// Before the first child exists: whatever a child binds stays out of the shared cache.
await container.get(CACHE.ImageCache).ready();

const server = createServer((request, response) => {
  const child = new Container({ parent: container });
  child
    .bind(AccessLog)
    .toDynamicValue(() => new AccessLog(request, response))
    .inSingletonScope()
    .onDeactivation((log) => log.write());
  child.get(AccessLog);
  response.once('close', () => child.unbindAllAsync());

  const [path = '/', query] = (request.url ?? '/').split('?');
  const asked = Number(new URLSearchParams(query).get('width'));
  const width = WIDTHS.find((each) => each >= asked) ?? 1200;
  return child.get<NodeHandler>(SERVE)(
    request,
    response,
    { source: path, options: [['width', `${width}`]], format: 'webp' },
    async () => {
      if (path !== '/cat.jpg') throw new HttpError(404, 'Not found');
      return { body: await sharp('cat.jpg').resize(width).webp().toBuffer(), contentType: 'image/webp' };
    },
  );
});
server.listen(Number(process.env['PORT'] ?? 8080));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => container.unbindAllAsync());
    setTimeout(() => server.closeAllConnections(), 10_000).unref();
  });
}
