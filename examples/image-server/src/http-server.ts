import { type AddressInfo, isIPv6 } from 'node:net';
import { type ImageCache, isCacheError } from '@imgproxy-cache/core';
import { UrlError } from '@imgproxy-cache/url';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import { Connections } from './connections.js';
import type { Gallery } from './gallery.js';
import { ImageError } from './image-error.js';
import type { ImageRoute } from './image-route.js';
import { listenFault } from './listen-fault.js';
import { type Settings, SettingsError } from './settings.js';

const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";
const MAX_URL_LENGTH = 16 * 1024;
const STOP_DEADLINE_MS = 10_000;

/** The server with its routes. Requests are not logged: their URLs hold signatures. */
export class HttpServer {
  readonly #server: FastifyInstance;
  readonly #connections: Connections;
  #stopping = false;

  constructor(logger: FastifyBaseLogger, cache: ImageCache, images: ImageRoute, gallery: Gallery) {
    this.#server = fastify({
      loggerInstance: logger,
      logController: new LogController({ disableRequestLogging: true }),
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: MAX_URL_LENGTH },
      frameworkErrors: (_error, _request, reply) => refuse(reply, 400, 'Invalid URL'),
    });
    this.#connections = new Connections(this.#server.server);
    this.#server.addHook('onRequest', async (_request, reply) => {
      reply.header('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    });
    this.#server.addHook('onSend', async (_request, reply) => {
      // So that no client sends another request on a connection that is about to be closed.
      if (this.#stopping) reply.header('Connection', 'close');
    });
    this.#server.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'Invalid URL'));
    this.#server.setErrorHandler((error, request, reply) => answerError(error, request.log, reply));

    this.#server.get('/health', async () => ({ status: 'ok', cache: cache.health() }));
    gallery.addTo(this.#server);
    images.addTo(this.#server);
  }

  /**
   * @returns the server's own URL
   * @throws SettingsError
   */
  async listen({ host, port }: Settings): Promise<string> {
    try {
      await this.#server.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` });
    } catch (error) {
      const fault = listenFault(error, host, port);
      throw fault === undefined ? error : new SettingsError([fault]);
    }
    const { address, port: boundPort } = this.#server.server.address() as AddressInfo;
    const name = address === '::' || address === '0.0.0.0' ? 'localhost' : address;
    return `http://${isIPv6(name) ? `[${name}]` : name}:${boundPort}`;
  }

  /** Takes no more requests and lets the running ones end, within a deadline. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const deadline = setTimeout(() => this.#server.server.closeAllConnections(), STOP_DEADLINE_MS);
    await this.#connections.close();
    await this.#server.close();
    clearTimeout(deadline);
  }
}

function answerError(error: unknown, log: FastifyBaseLogger, reply: FastifyReply): FastifyReply {
  if (error instanceof UrlError || error instanceof ImageError) {
    log.info({ status: error.status }, `request refused: ${error.message}`);
    return refuse(reply, error.status, error.publicMessage);
  }
  if (isCacheError(error)) {
    // The client went away: nobody reads this answer.
    if (error.code === 'ERR_CACHE_ABORTED') return refuse(reply, 499, 'Cancelled');
    log.error({ code: error.code }, `request failed with the cache: ${error.message}`);
    return refuse(reply.header('Cache-Control', 'no-store'), 503, error.code);
  }
  log.error({ err: error }, 'request failed');
  return refuse(reply, 500, 'Internal error');
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(message);
}
