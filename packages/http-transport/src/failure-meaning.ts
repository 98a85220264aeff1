import { ProxyConfigurationError } from './proxies.js';
import { TransportError } from './transport-error.js';

const PROXY_VARIABLES = 'HTTP_PROXY, HTTPS_PROXY and ALL_PROXY';
/** What to do about status 407. */
export const PROXY_LOGIN = `the proxy asks for a user and password (status 407): set them in ${PROXY_VARIABLES}, as http://user:password@host:port`;
const UNTRUSTED = /SELF_SIGNED_CERT|^UNABLE_TO_(?:VERIFY|GET_ISSUER)/;

/**
 * What a request without an answer means to an operator, and what to do.
 *
 * @param thrown the failure of a request: a {@link TransportError}, a {@link ProxyConfigurationError} or an error of Node.js
 * @param variable the variable that has the address that was requested
 * @returns the code of the `CacheError` to make of it, and the end of its message
 */
export function meaningOfFailure(
  thrown: unknown,
  variable: string,
): readonly [code: 'ERR_CACHE_TIMEOUT' | 'ERR_CACHE_CONFIG' | 'ERR_CACHE_UNAVAILABLE', meaning: string] {
  if (thrown instanceof TransportError && thrown.timedOut) return ['ERR_CACHE_TIMEOUT', thrown.message];
  if (thrown instanceof ProxyConfigurationError) {
    return ['ERR_CACHE_CONFIG', `${thrown.message}: check ${PROXY_VARIABLES}`];
  }
  const { name, code } = thrown as Partial<NodeJS.ErrnoException>;
  const detail = code ?? name ?? 'unknown error';
  return ['ERR_CACHE_UNAVAILABLE', meaningOfConnection(detail, thrown, variable)];
}

function meaningOfConnection(detail: string, thrown: unknown, variable: string): string {
  if (UNTRUSTED.test(detail)) {
    return `its certificate is not trusted (${detail}): start the process with NODE_EXTRA_CA_CERTS=/path/to/ca.pem, the certificate of its authority or, if it is self-signed, its own`;
  }
  if (detail === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its certificate is for another name (${detail}): set ${variable} to a name that the certificate has`;
  }
  if (detail === 'CERT_HAS_EXPIRED' || detail === 'CERT_NOT_YET_VALID') {
    return `its certificate is not valid today (${detail}): renew it, or set this machine's clock`;
  }
  if (/^ERR_SSL_|^EPROTO$/.test(detail)) {
    return `TLS failed (${detail}): if it speaks http, let ${variable} begin with http://`;
  }
  if (detail === 'PROXY_STATUS_407') return PROXY_LOGIN;
  if (thrown instanceof TransportError && thrown.proxy !== undefined) {
    return `there is no connection through the proxy ${thrown.proxy} (${detail}): check the proxy, and ${PROXY_VARIABLES} of the process`;
  }
  if (thrown instanceof TransportError && thrown.failure === 'broken') {
    return `the connection broke off (${detail}): look at the store, at proxies on the way, and whether ${variable} has to begin with https://`;
  }
  return `the connection failed (${detail}): look at ${variable} and at the network`;
}
