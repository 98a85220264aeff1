export type { TransportClock } from './clock.js';
export type { PoolState } from './connection-pool.js';
export type { HttpAnswer } from './exchange.js';
export { meaningOfFailure, PROXY_LOGIN } from './failure-meaning.js';
export { type HttpBody, MINIMUM_RATE, type ReadBody, type ReadLimits } from './http-body.js';
export {
  type HttpRequest,
  type HttpRequestOptions,
  HttpTransport,
  type HttpTransportOptions,
} from './http-transport.js';
export { ProxyConfigurationError } from './proxies.js';
export {
  type Attempt,
  Retries,
  type RetryOptions,
  type RetryReason,
  type RetryRunOptions,
  type RetryVerdict,
} from './retries.js';
export type { OpenConnection } from './socket-opener.js';
export { TransportError, type TransportErrorDetails, type TransportFailure } from './transport-error.js';
