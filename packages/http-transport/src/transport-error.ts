/**
 * What went wrong on the wire:
 * - `connect`: no connection could be made;
 * - `connect-timeout`, `response-timeout`: this deadline has passed;
 * - `silence`: the body brought nothing, or less than `MINIMUM_RATE`, until the reader's deadline;
 * - `broken`: the connection ended, or the answer was not HTTP;
 * - `closed`: the transport or the body was closed.
 */
export type TransportFailure =
  | 'connect'
  | 'connect-timeout'
  | 'response-timeout'
  | 'silence'
  | 'broken'
  | 'closed';

const TIMEOUTS: ReadonlySet<TransportFailure> = new Set(['connect-timeout', 'response-timeout', 'silence']);

/** Untrusted certificates, and proxies that refuse. */
const PERMANENT = /CERT|^ERR_TLS_|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^PROXY_STATUS_4/;

/** What a {@link TransportError} has besides its message. */
export interface TransportErrorDetails {
  readonly host: string;
  /** The proxy on the way, as `host:port`. */
  readonly proxy?: string | undefined;
  /** Whether the request used a pooled connection and got no byte of an answer. */
  readonly stale?: boolean;
  readonly cause?: unknown;
}

/**
 * A request that got no answer, or not all of it. Its message names the host, and neither path, query nor
 * credentials.
 */
export class TransportError extends Error {
  /** `TimeoutError` for a deadline, as the platform calls it; else `TransportError`. */
  override readonly name: string;
  readonly failure: TransportFailure;
  /** The host, with its port, that was asked. */
  readonly host: string;
  /** The proxy, with its port, through which no connection was made. */
  readonly proxy: string | undefined;
  /** The code of the system or of TLS, such as `ECONNRESET`, if there is one. */
  readonly code: string | undefined;
  /** Whether the pooled connection may have been dead: the store may never have received the request. */
  readonly stale: boolean;

  constructor(
    failure: TransportFailure,
    message: string,
    { host, proxy, stale = false, cause }: TransportErrorDetails,
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.name = TIMEOUTS.has(failure) ? 'TimeoutError' : 'TransportError';
    this.failure = failure;
    this.host = host;
    this.proxy = proxy;
    this.stale = stale;
    this.code = codeOf(cause);
  }

  /** Whether the same request may succeed when it is repeated. */
  get retryable(): boolean {
    return this.failure !== 'closed' && !PERMANENT.test(this.code ?? '');
  }

  /** Whether a deadline has passed. */
  get timedOut(): boolean {
    return TIMEOUTS.has(this.failure);
  }
}

/** A deadline that has passed. */
export function timeoutError(
  failure: TransportFailure,
  what: string,
  milliseconds: number,
  details: TransportErrorDetails,
): TransportError {
  const message = `${what} within ${milliseconds / 1000} s from ${details.host}${wayOf(details)}`;
  return new TransportError(failure, message, details);
}

/** A connection that could not be made, or that ended. */
export function connectionError(
  failure: TransportFailure,
  what: string,
  details: TransportErrorDetails,
): TransportError {
  const code = codeOf(details.cause);
  const reason = code === undefined ? '' : ` (${code})`;
  return new TransportError(failure, `${what} ${details.host}${wayOf(details)}${reason}`, details);
}

function wayOf({ proxy }: TransportErrorDetails): string {
  return proxy === undefined ? '' : ` through the proxy ${proxy}`;
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code } = thrown as NodeJS.ErrnoException;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code;
  // After several addresses were tried, Node.js lists their failures.
  return thrown instanceof AggregateError ? codeOf(thrown.errors[0]) : undefined;
}
