import type { CacheErrorCode } from '@imgproxy-cache/core/driver';
import { ProxyConfigurationError, TransportError } from '@imgproxy-cache/http-transport';

const UNTRUSTED = /SELF_SIGNED_CERT|^UNABLE_TO_(?:VERIFY|GET_ISSUER)/;

/**
 * What a request without an answer means, and what to do.
 * @param variable names the address that was asked
 */
export function meaningOfSilence(
  thrown: unknown,
  variable: string,
): readonly [code: CacheErrorCode, meaning: string] {
  if (thrown instanceof TransportError && thrown.timedOut) return ['ERR_CACHE_TIMEOUT', thrown.message];
  if (thrown instanceof ProxyConfigurationError) {
    return ['ERR_CACHE_CONFIG', `${thrown.message}: look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY`];
  }
  const { name, code } = thrown as Partial<NodeJS.ErrnoException>;
  return ['ERR_CACHE_UNAVAILABLE', meaningOfConnection(code ?? name ?? 'unknown error', thrown, variable)];
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
  if (thrown instanceof TransportError && thrown.failure === 'broken') {
    return `the connection broke off (${detail}): look at the store, at proxies on the way, and whether ${variable} has to begin with https://`;
  }
  return `the connection failed (${detail}): look at ${variable} and at the network`;
}
