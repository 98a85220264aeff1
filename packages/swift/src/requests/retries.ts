import { type RetryVerdict, TransportError } from '@imgproxy-cache/http-transport';
import { StatusError } from './failures.js';

// 498 is what Swift's own rate limit answers.
const THROTTLED: ReadonlySet<number> = new Set([429, 498]);
// 202 and 409: another write of the same name, with a later time, has overtaken this one.
const TRANSIENT: ReadonlySet<number> = new Set([202, 408, 409, 499, 500, 502, 503, 504]);

/** Why a request may be made again. `undefined`: it may not. */
export function judgeFailure(thrown: unknown): RetryVerdict | undefined {
  if (thrown instanceof TransportError) {
    return thrown.retryable ? { reason: thrown.stale ? 'stale' : 'transient' } : undefined;
  }
  if (!(thrown instanceof StatusError)) return undefined;
  const { status, retryAfter } = thrown;
  if (THROTTLED.has(status)) return { reason: 'throttled', retryAfter };
  return TRANSIENT.has(status) ? { reason: 'transient', retryAfter } : undefined;
}
