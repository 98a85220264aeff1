import { type RetryVerdict, TransportError } from '@imgproxy-cache/http-transport';
import {
  getRetryAfterHint,
  isClockSkewCorrectedError,
  isThrottlingError,
  isTransientError,
} from '@smithy/core/retry';
import type { SdkError } from '@smithy/types';
import { StoreError } from './failures.js';

/** Why a request may be made again, by the SDK's rules. `undefined`: it may not. */
export function judgeFailure(thrown: unknown): RetryVerdict | undefined {
  if (thrown instanceof TransportError) {
    if (!thrown.retryable) return undefined;
    return { reason: thrown.stale ? 'stale' : 'transient' };
  }
  const error = thrown as SdkError;
  // A wrong clock fails all requests under way at once: they would use up the budget.
  if (isClockSkewCorrectedError(error)) return { reason: 'corrected' };
  const reason = isThrottlingError(error) ? 'throttled' : isTransientError(error) ? 'transient' : undefined;
  return reason && { reason, retryAfter: retryAfterOf(error) };
}

function retryAfterOf(error: SdkError): number | undefined {
  if (error instanceof StoreError) return error.retryAfter;
  const hint = getRetryAfterHint(error.$response);
  return hint && hint.getTime() - Date.now();
}
