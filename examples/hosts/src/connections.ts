import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/**
 * Closes the connections of a server on which no request runs. Node leaves those open that have sent a part of a request,
 * or nothing yet: one silent client would keep a server from ending.
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
    server.on('request', (_request, response) => {
      this.#running.add(response);
      response.once('close', () => {
        this.#running.delete(response);
        this.#closeQuiet();
      });
    });
  }

  /** Closes the quiet ones now, and each other one once it has none of its requests left. */
  async close(): Promise<void> {
    // Two turns of the event loop accept and read what clients have sent before: those requests run and are answered.
    await setImmediate();
    await setImmediate();
    this.#closing = true;
    this.#closeQuiet();
  }

  #closeQuiet(): void {
    if (!this.#closing) return;
    const busy = new Set(Array.from(this.#running, ({ req }) => req.socket));
    for (const socket of this.#open) if (!busy.has(socket)) socket.destroySoon();
  }
}
