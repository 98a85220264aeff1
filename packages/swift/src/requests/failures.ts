import { type CacheErrorCode, isCacheError } from '@imgproxy-cache/core/driver';
import { type HttpAnswer, ProxyConfigurationError, TransportError } from '@imgproxy-cache/http-transport';

/** A failure that holds nothing from the wire but what was checked: its message, fields and cause may be shown. */
class KnownFailure extends Error {
  override readonly name: string = 'KnownFailure';
}

/** What answered is not Swift or Keystone. */
export class NotSwiftError extends KnownFailure {
  override readonly name = 'NotSwiftError';
}

/** A body ended before it was complete. */
export class BodyEndedError extends KnownFailure {
  override readonly name = 'BodyEndedError';

  /** @param code of the connection's failure, if it had one */
  constructor(received: number, size: number, code?: string) {
    super(`its body ended after ${received} of ${size} bytes${code === undefined ? '' : ` (${code})`}`);
  }
}

/** There is no such container. */
export class NoContainerError extends KnownFailure {
  override readonly name = 'NoContainerError';
}

/** No token could be got. The message says what is wrong and what to do. */
export class AuthenticationError extends KnownFailure {
  override readonly name = 'AuthenticationError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, cause?: Error) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** An answer that refuses the request or reports a failure. Of its document nothing is kept. */
export class StatusError extends KnownFailure {
  override readonly name = 'StatusError';
  readonly status: number;
  /** How long the store asks the client to wait, in milliseconds. */
  readonly retryAfter: number | undefined;
  /** Whether a quota is used up. */
  readonly overQuota: boolean;

  constructor(status: number, retryAfter: number | undefined, overQuota = false) {
    super(`status ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
    this.overQuota = overQuota;
  }
}

// An error's document is short, and comes with the head.
const ERROR_LIMITS = { maxBytes: 64 * 1024, timeout: 1_000 };
// What the middleware for quotas says with status 413.
const OVER_QUOTA = /quota/i;

/** Reads an answer that refuses a request to its end. */
export async function statusError({ status, headers, body }: HttpAnswer): Promise<StatusError> {
  const { bytes } = await body.read(ERROR_LIMITS);
  const overQuota = status === 413 && OVER_QUOTA.test(Buffer.from(bytes).toString('latin1'));
  return new StatusError(status, retryAfterOf(headers['retry-after']), overQuota);
}

/** Reads the body of an answer whose head says everything, so that its connection is used again. */
export async function discardBody({ headers, body }: HttpAnswer): Promise<void> {
  // Without a timer, as every put ends so.
  if (headers['content-length'] === '0') await body.next();
  else await body.read(ERROR_LIMITS);
}

/** Whether Swift itself answers, which marks its answers so, and not something on the way. */
export function isOfSwift(headers: HttpAnswer['headers']): boolean {
  return headers['x-trans-id'] !== undefined || headers['x-openstack-request-id'] !== undefined;
}

/** What was thrown, without anything from the wire that may be secret. */
export function toFailure(thrown: unknown): Error {
  if (thrown instanceof KnownFailure || thrown instanceof ProxyConfigurationError || isCacheError(thrown)) {
    return thrown;
  }
  if (!(thrown instanceof TransportError)) return bareError(thrown);
  const { failure, message, host, proxy, stale, cause } = thrown;
  return new TransportError(failure, message, {
    host,
    proxy,
    stale,
    ...(cause !== undefined && { cause: bareError(cause) }),
  });
}

const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/** An error without its message and fields, in which parsers quote what they read. */
function bareError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error('something that is no error was thrown');
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return bareError(thrown.errors[0]);
  const { code } = thrown as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !SYSTEM_CODE.test(code)) return new Error('its message is not shown');
  return Object.assign(new Error(code), { code });
}

function retryAfterOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
