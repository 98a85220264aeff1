import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { CACHE, cacheModule } from '@imgproxy-cache/core';
import { Container, type ServiceIdentifier } from 'inversify';
import { serve } from './http-server.js';
import { pictureListener } from './picture-listener.js';

const HOST = {
  Listener: Symbol.for('child-containers:Listener') as ServiceIdentifier<RequestListener>,
};

/** Lives as long as one request. */
class AccessLog {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  write(): void {
    const { method, url } = this.#request;
    // Without the query: it may hold a signature.
    const [path] = (url ?? '').split('?', 1);
    process.stdout.write(`${method} ${path} ${this.#response.statusCode}\n`);
  }
}

const container = new Container();
container.load(await cacheModule({ resolveFrom: import.meta.url }));
container.bind(HOST.Listener).toResolvedValue(pictureListener, [CACHE.ImageCache]).inSingletonScope();

// Before there is a child: a child that came first would build parts of its own into the cache of all.
await container.get(CACHE.ImageCache).ready();

const listener: RequestListener = (request, response) => {
  const scope = new Container({ parent: container });
  scope
    .bind(AccessLog)
    .toDynamicValue(() => new AccessLog(request, response))
    .inSingletonScope()
    .onDeactivation((log) => log.write());
  scope.get(AccessLog);
  // Ends what belongs to the request; the cache belongs to the parent.
  response.once('close', () => scope.unbindAllAsync());
  scope.get(HOST.Listener)(request, response);
};

await serve(listener, () => container.unbindAllAsync());
