import { type AddressInfo, isIPv6 } from 'node:net';
import type { ImageCache } from '@imgproxy-cache/core';
import { answerFailure, Connections } from '@imgproxy-cache/http';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from 'fastify';
import { logError } from './error-log.js';
import type { Gallery } from './gallery.js';
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

  constructor(logger: FastifyBaseLogger, cache: ImageCache, images: ImageRoute, gallery: Gallery) {
    this.#server = fastify({
      loggerInstance: logger,
      logController: new LogController({ disableRequestLogging: true }),
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: MAX_URL_LENGTH },
      frameworkErrors: (_error, _request, reply) => refuse(reply, 400, 'Invalid URL'),
    });
    this.#connections = new Connections(this.#server.server);
    // On Node's response: images are answered past Fastify's own reply.
    this.#server.addHook('onRequest', async (_request, { raw }) => {
      raw.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    });
    this.#server.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'Invalid URL'));
    this.#server.setErrorHandler((error, request, reply) => {
      const { status = 500, headers = {}, body } = answerFailure(error) ?? {};
      logError(request.log, error, status);
      return reply.code(status).headers(headers).send(body);
    });

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
    const deadline = setTimeout(() => this.#server.server.closeAllConnections(), STOP_DEADLINE_MS);
    await this.#connections.close();
    await this.#server.close();
    clearTimeout(deadline);
  }
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .header('Cache-Control', 'no-store')
    .send(message);
}
