import http from 'node:http';
import type { Duplex } from 'node:stream';
import { getProxyForUrl } from 'proxy-from-env';

/** A proxy on the way to a host. */
export interface HttpProxy {
  /** Without credentials. */
  readonly url: URL;
  /** The value of `Proxy-Authorization`, if the variable has a user or password. */
  readonly authorization: string | undefined;
}

/** A variable names a proxy that is not supported. */
export class ProxyConfigurationError extends Error {
  override readonly name = 'ProxyConfigurationError';
}

/** A proxy did not open the tunnel. */
class TunnelError extends Error {
  override readonly name = 'TunnelError';
  readonly code: string;

  constructor(status: number) {
    super(`the proxy answers CONNECT with status ${status}`);
    this.code = `PROXY_STATUS_${status}`;
  }
}

/** The proxies for the hosts of a transport. The environment is read once for each host. */
export class Proxies {
  readonly #known = new Map<string, HttpProxy | undefined>();

  /** @throws ProxyConfigurationError */
  of(origin: string): HttpProxy | undefined {
    if (!this.#known.has(origin)) this.#known.set(origin, proxyFor(origin));
    return this.#known.get(origin);
  }
}

/**
 * The proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for an origin, in upper or lower case.
 *
 * undici's EnvHttpProxyAgent ignores ALL_PROXY, sends http requests to an https proxy through a tunnel, which proxies
 * refuse for ports other than 443, and makes its own connections beside the pool. Node.js reads these variables from
 * version 24 on.
 * @throws ProxyConfigurationError for anything but `http://` and `https://`. It does not repeat the variable.
 */
function proxyFor(origin: string): HttpProxy | undefined {
  const named = getProxyForUrl(origin);
  if (named === '') return undefined;
  if (!URL.canParse(named)) throw new ProxyConfigurationError('the proxy variable is not a URL');
  const url = new URL(named);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ProxyConfigurationError(
      `the proxy variable names a proxy of the scheme ${url.protocol.slice(0, -1)}: only http and https can be used`,
    );
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url, authorization: undefined };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/**
 * Asks a proxy, over a connection to it, for a tunnel to `host:port`. After a callback without an error the connection
 * leads to the host. https://www.rfc-editor.org/rfc/rfc9110#CONNECT
 */
export function openTunnel(
  connection: Duplex,
  { authorization }: HttpProxy,
  host: string,
  callback: (error: Error | null) => void,
): void {
  const asking = http.request({
    method: 'CONNECT',
    path: host,
    createConnection: () => connection,
    headers: {
      host,
      ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
    },
  });
  asking.once('connect', ({ statusCode = 0 }, _socket, head) => {
    if (statusCode < 200 || statusCode > 299) {
      connection.destroy();
      callback(new TunnelError(statusCode));
      return;
    }
    if (head.length > 0) connection.unshift(head);
    callback(null);
  });
  asking.once('error', callback);
  asking.end();
}
