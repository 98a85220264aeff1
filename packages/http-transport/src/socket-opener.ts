import net, { type LookupFunction, type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import type { TransportClock } from './clock.js';
import { NameCache } from './name-cache.js';
import { type HttpProxy, openTunnel } from './proxies.js';
import { TlsSessions } from './tls-sessions.js';
import { connectionError, timeoutError } from './transport-error.js';

/** Opens the connection below TLS to a host or a proxy. */
export type OpenConnection = (address: { readonly host: string; readonly port: number }) => Socket;

/** How connections are opened. */
export interface SocketOpenerParts {
  readonly clock: TransportClock;
  /** Longest time to make a connection, tunnel and TLS included, in milliseconds. */
  readonly connectTimeout: number;
  readonly lookup: LookupFunction | undefined;
  readonly connect: OpenConnection | undefined;
  /** Certificates to trust instead of those that Node.js trusts. */
  readonly ca: string | Buffer | readonly (string | Buffer)[] | undefined;
}

/** Where a connection goes. */
export interface Destination {
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** The name that the certificate is to have, where it is not that of the host. */
  readonly servername: string | undefined;
  readonly proxy: HttpProxy | undefined;
}

/** A connection that is being made. */
export interface Opening {
  /** Gives it up, at once. */
  abandon(): void;
}

// How much a connection that is not read takes from the system ahead, at the most.
const READ_AHEAD = 64 * 1024;
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 60_000, noDelay: true } as const;

/** Makes connections: directly or through a proxy, with TLS or without, within one deadline. */
export class SocketOpener {
  readonly #parts: SocketOpenerParts;
  readonly #names: NameCache;
  readonly #sessions: TlsSessions;

  constructor(parts: SocketOpenerParts) {
    this.#parts = parts;
    this.#names = new NameCache(parts.clock, parts.lookup);
    this.#sessions = new TlsSessions(parts.clock);
  }

  open(destination: Destination, callback: (error: Error | null, socket: Socket | null) => void): Opening {
    const { clock, connectTimeout } = this.#parts;
    const host = authorityOf(destination);
    const sockets: Socket[] = [];
    let settled = false;
    const settle = (error: Error | null, socket: Socket | null): void => {
      if (settled) return;
      settled = true;
      deadline.cancel();
      if (error !== null) {
        this.#names.forget();
        for (const each of sockets) each.destroy();
      }
      callback(error, socket);
    };
    const fail = (cause: Error): void =>
      settle(connectionError('connect', 'no connection to', { host, cause }), null);
    const watch = (socket: Socket): Socket => {
      sockets.push(socket);
      return socket.on('error', fail).once('close', () => fail(new Error('the connection was closed')));
    };
    const deadline = clock.setTimer(
      () => settle(timeoutError('connect-timeout', 'no connection', connectTimeout, { host }), null),
      connectTimeout,
    );
    this.#connect(destination, watch, (socket) => settle(null, socket), fail);
    return {
      abandon: () => settle(connectionError('closed', 'gave up the connection to', { host }), null),
    };
  }

  #connect(
    destination: Destination,
    watch: (socket: Socket) => Socket,
    ready: (socket: Socket) => void,
    fail: (error: Error) => void,
  ): void {
    const { secure, hostname, port, servername, proxy } = destination;
    const host = hostname.replace(/^\[|\]$/g, '');
    const toHost = { host, port, servername: servername ?? host };
    if (proxy === undefined) {
      const below = watch(this.#openBelow(host, port));
      whenConnected(below, () => (secure ? this.#secure(below, toHost, watch, ready) : ready(below)));
      return;
    }
    const proxyHost = proxy.url.hostname.replace(/^\[|\]$/g, '');
    const throughProxy = (connection: Socket): void => {
      if (!secure) {
        ready(connection);
        return;
      }
      openTunnel(connection, proxy, authorityOf(destination), (error) => {
        if (error !== null) fail(error);
        else this.#secure(connection, toHost, watch, ready);
      });
    };
    const proxyIsSecure = proxy.url.protocol === 'https:';
    const proxyPort = Number(proxy.url.port) || (proxyIsSecure ? 443 : 80);
    const below = watch(this.#openBelow(proxyHost, proxyPort));
    const toProxy = { host: proxyHost, port: proxyPort, servername: proxyHost };
    whenConnected(below, () => {
      if (proxyIsSecure) this.#secure(below, toProxy, watch, throughProxy);
      else throughProxy(below);
    });
  }

  #openBelow(host: string, port: number): Socket {
    const { connect } = this.#parts;
    if (connect !== undefined) return connect({ host, port });
    const { lookup } = this.#names;
    // The option is in Node's streams and not in its types for sockets.
    const options = { host, port, lookup, ...KEEP_ALIVE, highWaterMark: READ_AHEAD };
    return net.connect(options);
  }

  #secure(
    socket: Socket,
    { host, port, servername }: { host: string; port: number; servername: string },
    watch: (socket: Socket) => Socket,
    ready: (socket: TLSSocket) => void,
  ): void {
    const { ca } = this.#parts;
    const key = `${servername} ${host}:${port}`;
    const session = this.#sessions.of(key);
    const secured = tls.connect({
      socket,
      // The server's name must be a name, and the certificate of an address is checked by the address.
      ...(net.isIP(servername) === 0 ? { servername } : { host: servername }),
      ALPNProtocols: ['http/1.1'],
      ...(ca === undefined ? {} : { ca: Array.isArray(ca) ? [...ca] : (ca as string | Buffer) }),
      ...(session === undefined ? {} : { session }),
    });
    this.#sessions.keepFrom(secured, key);
    watch(secured);
    secured.once('secureConnect', () => ready(secured));
  }
}

/**
 * Waits for the connection before TLS begins on it: while a name with several addresses is tried, Node.js replaces the
 * handle of the socket, and TLS on the old one crashes the process.
 */
function whenConnected(socket: Socket, callback: () => void): void {
  if (socket.connecting) socket.once('connect', callback);
  else callback();
}

/** `host:port`, an address of IPv6 in brackets. */
function authorityOf({ hostname, port }: Destination): string {
  return `${net.isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}
