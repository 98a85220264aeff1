import { Client, type Dispatcher } from 'undici';
import type { HttpProxy } from './proxies.js';
import type { Opening, SocketOpener } from './socket-opener.js';

/** What a {@link Connection} needs. */
export interface ConnectionParts {
  readonly opener: SocketOpener;
  readonly proxy: HttpProxy | undefined;
  /** After this time without a request it is closed, in milliseconds. */
  readonly idleTimeout: number;
  /** The time on the monotonic clock. */
  readonly now: number;
  /** Called when the connection has ended. */
  onEnd(connection: Connection): void;
}

/** A request as it is sent. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

// A store may say in a header how long it keeps an idle connection. This is the limit of that.
const LONGEST_IDLE = 60_000;

/** One connection to a host. It speaks HTTP/1.1, one request at a time. */
export class Connection {
  readonly origin: string;
  /** When it was opened, on the monotonic clock. */
  readonly opened: number;
  readonly #client: Client;
  readonly #proxy: HttpProxy | undefined;
  #opening: Opening | undefined;
  #requests = 0;

  constructor(origin: string, { opener, proxy, idleTimeout, now, onEnd }: ConnectionParts) {
    this.origin = origin;
    this.opened = now;
    this.#proxy = proxy;
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      // The transport has its own deadlines.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleTimeout,
      keepAliveMaxTimeout: Math.max(idleTimeout, LONGEST_IDLE),
      connect: ({ protocol, hostname, port, servername }, callback) => {
        const secure = protocol === 'https:';
        this.#opening = opener.open(
          {
            secure,
            hostname,
            port: Number(port) || (secure ? 443 : 80),
            servername: servername ?? undefined,
            proxy,
          },
          (error, socket) => {
            if (socket !== null) callback(null, socket);
            else callback(error ?? new Error('no connection'), null);
          },
        );
      },
    });
    this.#client.on('disconnect', () => onEnd(this));
  }

  /** Whether it has carried another request before. */
  get used(): boolean {
    return this.#requests > 1;
  }

  /** Sends a request. The handler receives the answer. */
  dispatch({ method, path, headers, body }: WireRequest, handler: Dispatcher.DispatchHandler): void {
    this.#requests += 1;
    // https://www.rfc-editor.org/rfc/rfc9112#absolute-form
    const forProxy = this.#proxy !== undefined && this.origin.startsWith('http:');
    const authorization = forProxy ? this.#proxy?.authorization : undefined;
    this.#client.dispatch(
      {
        method,
        path: forProxy ? `${this.origin}${path}` : path,
        headers: authorization === undefined ? headers : { ...headers, 'proxy-authorization': authorization },
        body: body === undefined || body.length === 0 ? null : body,
      },
      handler,
    );
  }

  /** Breaks the connection, and with it any request under way. */
  destroy(): void {
    this.#opening?.abandon();
    this.#client.destroy().catch(() => undefined);
  }
}
