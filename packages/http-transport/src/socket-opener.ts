import net, { type LookupFunction, type Socket } from 'node:net';
import tls from 'node:tls';
import type { TransportClock } from './clock.js';
import { DeadAddresses } from './dead-addresses.js';
import { type HttpProxy, openTunnel } from './proxies.js';
import { connectionError, timeoutError } from './transport-error.js';

/** Opens the connection below TLS to a host or a proxy. */
export type OpenConnection = (address: { readonly host: string; readonly port: number }) => Socket;

/** How connections are opened. */
export interface SocketOpenerParts {
  readonly clock: TransportClock;
  /** Longest time to connect, including tunnel and TLS, in milliseconds. */
  readonly connectTimeout: number;
  readonly lookup: LookupFunction | undefined;
  readonly connect: OpenConnection | undefined;
  /** Certificates to trust instead of those that Node.js trusts. */
  readonly ca: string | Buffer | readonly (string | Buffer)[] | undefined;
}

/** A host, or a proxy. */
interface Endpoint {
  readonly secure: boolean;
  /** An IPv6 address has no brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The name in the certificate, if it is not the host's. */
  readonly servername?: string | undefined;
}

/** Where a connection goes. */
export interface Destination extends Endpoint {
  readonly proxy: HttpProxy | undefined;
}

/** A connection being made. */
export interface Opening {
  /** Gives it up at once. */
  abandon(): void;
}

type Ready = (socket: Socket) => void;

/**
 * Makes connections: directly or through a proxy, with or without TLS, within one deadline. Node.js tries the addresses of
 * a name in turn. undici's connector begins a new deadline for a tunnel and for the TLS in it, and cannot give up a
 * connection that is being made.
 *
 * No TLS session is resumed: that saves no round trip in TLS 1.3, and only a full handshake checks the certificate.
 */
export class SocketOpener {
  readonly #parts: SocketOpenerParts;
  readonly #addresses: DeadAddresses;

  constructor(parts: SocketOpenerParts) {
    this.#parts = parts;
    this.#addresses = new DeadAddresses(parts.clock, parts.lookup);
  }

  open(destination: Destination, callback: (error: Error | null, socket: Socket | null) => void): Opening {
    const { clock, connectTimeout } = this.#parts;
    const host = authorityOf(destination);
    const proxy = destination.proxy && authorityOf(endpointOf(destination.proxy));
    const sockets: Socket[] = [];
    let settled = false;
    const settle = (error: Error | null, socket: Socket | null): void => {
      if (settled) return;
      settled = true;
      deadline.cancel();
      if (error !== null) for (const each of sockets) each.destroy();
      callback(error, socket);
    };
    const fail = (cause: Error): void =>
      settle(connectionError('connect', 'no connection to', { host, proxy, cause }), null);
    const watch = (socket: Socket): Socket => {
      sockets.push(socket);
      return socket.on('error', fail).once('close', () => fail(new Error('the connection was closed')));
    };
    const giveUp = (error: Error): void => {
      if (!settled) for (const each of sockets) this.#addresses.giveUp(each);
      settle(error, null);
    };
    const deadline = clock.setTimer(
      () => giveUp(timeoutError('connect-timeout', 'no connection', connectTimeout, { host, proxy })),
      connectTimeout,
    );
    this.#connect(destination, watch, (socket) => settle(null, socket), fail);
    return {
      abandon: () => giveUp(connectionError('closed', 'gave up the connection to', { host })),
    };
  }

  #connect(
    destination: Destination,
    watch: (socket: Socket) => Socket,
    ready: Ready,
    fail: (error: Error) => void,
  ): void {
    const { proxy } = destination;
    if (proxy === undefined) {
      this.#connectDirectly(destination, watch, ready);
      return;
    }
    this.#connectDirectly(endpointOf(proxy), watch, (connection) => {
      if (!destination.secure) {
        ready(connection);
        return;
      }
      openTunnel(connection, proxy, authorityOf(destination), (error) => {
        if (error !== null) fail(error);
        else this.#secure(destination, { socket: connection }, watch, ready);
      });
    });
  }

  #connectDirectly(endpoint: Endpoint, watch: (socket: Socket) => Socket, ready: Ready): void {
    const { connect } = this.#parts;
    const { secure, hostname: host, port } = endpoint;
    const way = { port, lookup: this.#addresses.lookup };
    if (connect !== undefined) {
      const below = watch(connect({ host, port }));
      whenConnected(below, () => {
        if (secure) this.#secure(endpoint, { socket: below }, watch, ready);
        else ready(below);
      });
    } else if (secure) {
      this.#secure(endpoint, way, watch, ready);
    } else {
      const socket = watch(this.#kept(net.connect({ host, ...way })));
      whenConnected(socket, () => ready(socket));
    }
  }

  #secure(
    { hostname: host, servername }: Endpoint,
    way: tls.ConnectionOptions,
    watch: (socket: Socket) => Socket,
    ready: Ready,
  ): void {
    const { ca } = this.#parts;
    // SNI allows no IP address. The certificate of one is checked against the address.
    const name = servername || (net.isIP(host) === 0 ? host : undefined);
    const secured = tls.connect({
      ...way,
      host,
      ...(name === undefined ? {} : { servername: name }),
      ALPNProtocols: ['http/1.1'],
      ...(ca === undefined ? {} : { ca: Array.isArray(ca) ? [...ca] : (ca as string | Buffer) }),
    });
    watch(way.socket === undefined ? this.#kept(secured) : secured);
    secured.once('secureConnect', () => ready(secured));
  }

  #kept(socket: Socket): Socket {
    return this.#addresses.watch(socket.setNoDelay(true).setKeepAlive(true, 60_000));
  }
}

/**
 * TLS must begin on a complete connection: while Node.js tries several addresses it replaces the socket's handle, and TLS
 * on the old one crashes the process.
 */
function whenConnected(socket: Socket, callback: () => void): void {
  if (socket.connecting) socket.once('connect', callback);
  else callback();
}

function endpointOf({ url }: HttpProxy): Endpoint {
  const secure = url.protocol === 'https:';
  return {
    secure,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 443 : 80),
  };
}

/** `host:port`, with an IPv6 address in brackets. */
function authorityOf({ hostname, port }: Endpoint): string {
  return `${net.isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}
