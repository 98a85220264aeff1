import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Connections } from './connections.js';

const STOP_DEADLINE_MS = 10_000;

/** A server that stops without breaking off an answer. */
export class HttpServer {
  readonly #server: Server;
  readonly #connections: Connections;

  constructor(listener: RequestListener) {
    this.#server = createServer(listener);
    this.#connections = new Connections(this.#server);
  }

  /**
   * @param port 0 takes any that is free
   * @returns the server's own URL
   */
  async listen(port: number): Promise<string> {
    this.#server.listen(port);
    await once(this.#server, 'listening');
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Takes no more requests and lets the running ones end, within a deadline. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    const deadline = setTimeout(() => this.#server.closeAllConnections(), STOP_DEADLINE_MS);
    await this.#connections.close();
    this.#server.close();
    await closed;
    clearTimeout(deadline);
  }
}

/**
 * Serves on port `PORT` until SIGTERM or SIGINT.
 * @param close called once the last request has ended: the cache still takes what that one has to store
 */
export async function serve(listener: RequestListener, close: () => Promise<void>): Promise<void> {
  const server = new HttpServer(listener);
  const url = await server.listen(Number(process.env['PORT'] ?? 8080));
  process.stdout.write(`listening on ${url}\n`);

  const stop = async (): Promise<void> => {
    // A second signal ends the process without waiting.
    process.off('SIGTERM', stop).off('SIGINT', stop);
    await server.stop();
    await close();
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}
