import type { LookupFunction } from 'node:net';
import { machineClock, type TransportClock } from './clock.js';
import { Connection } from './connection.js';
import { ConnectionPool, type PoolState } from './connection-pool.js';
import { Exchange, type HttpAnswer } from './exchange.js';
import { Proxies } from './proxies.js';
import { type OpenConnection, SocketOpener } from './socket-opener.js';
import { connectionError } from './transport-error.js';

/** Settings of an {@link HttpTransport}, each with its default. Times are in milliseconds. */
export interface HttpTransportOptions {
  /** Most connections to all hosts at a time. Further requests wait in order. 128. */
  readonly maxConnections?: number;
  /** Longest time to connect, including a proxy's tunnel and TLS. 3,000. */
  readonly connectTimeout?: number;
  /** Longest time from the call to the head of the answer, including the wait for a connection. 10,000. */
  readonly responseTimeout?: number;
  /**
   * How long a reader waits for a body that brings nothing, or less than {@link MINIMUM_RATE}. 10,000.
   */
  readonly silenceTimeout?: number;
  /** How long a connection may be idle, unless the store says how long it keeps one. 15,000. */
  readonly idleTimeout?: number;
  /** The age past which a connection is not reused. 300,000. */
  readonly maxAge?: number;
  /** Resolves host names instead of the system. */
  readonly lookup?: LookupFunction;
  /** Opens the connections below TLS, instead of TCP to the host or proxy. */
  readonly connect?: OpenConnection;
  /** Certificates to trust instead of those that Node.js trusts. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** Called when more requests wait than there may be connections. */
  onCrowded?(waiting: number): void;
  readonly clock?: TransportClock;
}

/** A request. */
export interface HttpRequest {
  readonly method: string;
  /** `http(s)://host[:port]` */
  readonly origin: string;
  /** Path and query, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
}

/** Options of a request. */
export interface HttpRequestOptions {
  /** Ends the request at any moment, and its body. */
  readonly signal?: AbortSignal | undefined;
  /** Whether it needs a new connection: after a failure all pooled ones may be dead. */
  readonly fresh?: boolean;
}

/**
 * Makes requests over one pool of connections and the proxies that the environment names. It does not retry, follow
 * redirects or look at the status of an answer.
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
   * @returns the answer as soon as its head has arrived. Its body must be read to the end or closed.
   * @throws TransportError, ProxyConfigurationError, or the signal's reason
   */
  request(
    { method, origin, path, headers, body }: HttpRequest,
    { signal, fresh = false }: HttpRequestOptions = {},
  ): Promise<HttpAnswer> {
    const host = origin.slice(origin.indexOf('//') + 2);
    try {
      if (this.#closed) throw connectionError('closed', 'the transport was closed: no request to', { host });
      signal?.throwIfAborted();
      this.#proxies.of(origin);
    } catch (error) {
      return Promise.reject(error);
    }
    const exchange = new Exchange(
      { method, origin, host, path, headers, body, signal, fresh },
      {
        pool: this.#pool,
        clock: this.#clock,
        ...this.#deadlines,
        onEnd: (ended) => this.#exchanges.delete(ended),
      },
    );
    this.#exchanges.add(exchange);
    return exchange.start();
  }

  /** Ends all requests and connections. */
  close(): void {
    this.#closed = true;
    for (const exchange of this.#exchanges) {
      exchange.fail(connectionError('closed', 'the transport was closed:', { host: 'no request goes on' }));
    }
    this.#pool.close();
  }
}
