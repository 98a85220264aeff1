import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/**
 * The connections of a server, for a stop that breaks off no answer and waits for no silent client. Node's own `close` leaves
 * those open that have sent a part of a request, or nothing yet.
 *
 * Create it with the server, and on a stop call {@link close}, then `server.close()`, then `cache.close()`.
 */
export class Connections {
  readonly #open = new Set<Socket>();
  readonly #running = new Set<ServerResponse>();
  #closing = false;

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      this.#closeQuiet();
    });
    // Before the host's own listener, which may answer at once.
    server.prependListener('request', (_request, response) => {
      this.#running.add(response);
      if (this.#closing) response.shouldKeepAlive = false;
      response.once('close', () => {
        this.#running.delete(response);
        this.#closeQuiet();
      });
    });
  }

  /**
   * Closes the connections without a request now, and each other one after its requests, whose answers say
   * `Connection: close` if they have not begun. Resolves at once: it does not wait for them.
   */
  async close(): Promise<void> {
    // Two turns of the event loop accept and read what clients have sent before: those requests run and are answered.
    await setImmediate();
    await setImmediate();
    this.#closing = true;
    for (const response of this.#running) response.shouldKeepAlive = false;
    this.#closeQuiet();
  }

  #closeQuiet(): void {
    if (!this.#closing) return;
    const busy = new Set(Array.from(this.#running, ({ req }) => req.socket));
    for (const socket of this.#open) if (!busy.has(socket)) socket.destroySoon();
  }
}
