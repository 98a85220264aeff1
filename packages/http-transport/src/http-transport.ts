import type { LookupFunction } from 'node:net';
import { machineClock, type TransportClock } from './clock.js';
import { Connection } from './connection.js';
import { ConnectionPool, type PoolState } from './connection-pool.js';
import { Exchange, type HttpAnswer } from './exchange.js';
import { Proxies } from './proxies.js';
import { type OpenConnection, SocketOpener } from './socket-opener.js';
import { connectionError } from './transport-error.js';

/** How a transport behaves. Times are in milliseconds. */
export interface HttpTransportOptions {
  /** Most connections at a time, to all hosts together; more requests wait in their order. 128. */
  readonly maxConnections?: number;
  /** Longest time to make a connection, a proxy's tunnel and TLS included. 3,000. */
  readonly connectTimeout?: number;
  /** Longest time from the call to the head of the answer, waiting for a connection included. 10,000. */
  readonly responseTimeout?: number;
  /**
   * How long a reader waits for a body that brings nothing, or less than {@link MINIMUM_RATE}. A slow reader does not
   * count. 10,000.
   */
  readonly silenceTimeout?: number;
  /** How long a connection may be idle, unless the store says how long it keeps one. 15,000. */
  readonly idleTimeout?: number;
  /** How old a connection may be when it is used once more. 300,000. */
  readonly maxAge?: number;
  /** Resolves host names instead of the system. */
  readonly lookup?: LookupFunction;
  /** Opens the connections below TLS, instead of TCP to the host, or to the proxy. */
  readonly connect?: OpenConnection;
  /** Certificates to trust instead of those that Node.js trusts. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** Told when more requests wait than there may be connections. */
  onCrowded?(waiting: number): void;
  readonly clock?: TransportClock;
}

/** A request. */
export interface HttpRequest {
  readonly method: string;
  /** `http(s)://host[:port]` */
  readonly origin: string;
  /** Path and query as they are to be on the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

/** How a request is made. */
export interface HttpRequestOptions {
  /** Ends the request at any moment, and the body that it has opened. */
  readonly signal?: AbortSignal | undefined;
  /** Whether it goes over a connection that nobody has used: after a failure those of the pool may all be dead. */
  readonly fresh?: boolean;
}

/**
 * Makes requests over one pool of connections, by the environment's proxies where it names some. It does not try
 * again, follow redirects or judge answers: an answer is one whatever its status.
 */
export class HttpTransport {
  readonly #pool: ConnectionPool;
  readonly #proxies = new Proxies();
  readonly #exchanges = new Set<Exchange>();
  readonly #deadlines: { readonly responseTimeout: number; readonly silenceTimeout: number };
  readonly #clock: TransportClock;
  #closed = false;

  constructor({
    maxConnections = 128,
    connectTimeout = 3_000,
    responseTimeout = 10_000,
    silenceTimeout = 10_000,
    idleTimeout = 15_000,
    maxAge = 300_000,
    lookup,
    connect,
    ca,
    onCrowded = () => {},
    clock = machineClock,
  }: HttpTransportOptions = {}) {
    this.#clock = clock;
    this.#deadlines = { responseTimeout, silenceTimeout };
    const opener = new SocketOpener({ clock, connectTimeout, lookup, connect, ca });
    this.#pool = new ConnectionPool({
      maxConnections,
      maxAge,
      clock,
      open: (origin, onEnd) =>
        new Connection(origin, {
          opener,
          proxy: this.#proxies.of(origin),
          idleTimeout,
          now: clock.monotonic(),
          onEnd,
        }),
      onCrowded,
    });
  }

  /** How many connections there are, and how many requests wait for one. */
  get connections(): PoolState {
    return this.#pool.state;
  }

  /**
   * Makes one request.
   * @returns the answer as soon as its head is there. Its body must be read to the end or closed.
   * @throws TransportError; the signal's reason; ProxyConfigurationError.
   */
  request(
    { method, origin, path, headers, body }: HttpRequest,
    { signal, fresh = false }: HttpRequestOptions = {},
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const host = origin.slice(origin.indexOf('//') + 2);
      if (this.#closed) throw connectionError('closed', 'the transport was closed: no request to', { host });
      signal?.throwIfAborted();
      this.#proxies.of(origin);
      const exchange = new Exchange(
        { method, origin, host, path, headers, body, signal, fresh },
        { pool: this.#pool, clock: this.#clock, ...this.#deadlines },
        { resolve, reject },
        (ended) => this.#exchanges.delete(ended),
      );
      this.#exchanges.add(exchange);
      exchange.start();
    });
  }

  /** Ends all that is under way, and all connections. */
  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) {
      exchange.fail(connectionError('closed', 'the transport was closed:', { host: 'no request goes on' }));
    }
    this.#pool.close();
  }
}
