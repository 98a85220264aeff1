import { setTimeout as pause } from 'node:timers/promises';
import {
  type Attempt,
  type Retries,
  type RetryVerdict,
  TransportError,
} from '@imgproxy-cache/http-transport';
import {
  getRetryAfterHint,
  isClockSkewCorrectedError,
  isThrottlingError,
  isTransientError,
} from '@smithy/core/retry';
import type { RetryErrorInfo, RetryStrategyV2, RetryToken, SdkError } from '@smithy/types';

/** Why a request to S3 may be made again; `undefined`: it may not. What the SDK takes for passing is. */
export function judgeFailure(thrown: unknown): RetryVerdict | undefined {
  if (thrown instanceof TransportError) {
    if (!thrown.retryable) return undefined;
    return { reason: thrown.stale ? 'stale' : 'transient' };
  }
  const error = thrown as SdkError;
  // All requests under way meet a wrong clock at once, and would take the whole budget.
  if (isClockSkewCorrectedError(error)) return { reason: 'corrected' };
  const reason = isThrottlingError(error) ? 'throttled' : isTransientError(error) ? 'transient' : undefined;
  if (reason === undefined) return undefined;
  const hint = getRetryAfterHint(error.$response);
  return { reason, retryAfter: hint === undefined ? undefined : hint.getTime() - Date.now() };
}

/** How a client of the SDK tries again. */
export interface SdkRetries {
  /** Also announced to the store in a header, by which the last attempt is known. */
  readonly maxAttempts: number;
  readonly retryStrategy: RetryStrategyV2;
}

/**
 * Lets the SDK's clients try again by the rules, and out of the budget, of the driver's own requests.
 * @param closing ends the waits: the SDK does not tell the signal of the request.
 */
export function sdkRetries(retries: Retries, closing: AbortSignal): SdkRetries {
  return { maxAttempts: retries.maxAttempts, retryStrategy: new SharedBudget(retries, closing) };
}

class SdkAttempt implements RetryToken {
  readonly attempt: Attempt;

  constructor(attempt: Attempt) {
    this.attempt = attempt;
  }

  getRetryCount(): number {
    return this.attempt.number - 1;
  }

  /** The strategy has waited already, as the SDK's own does. */
  getRetryDelay(): number {
    return 0;
  }
}

class SharedBudget implements RetryStrategyV2 {
  readonly #retries: Retries;
  readonly #closing: AbortSignal;

  constructor(retries: Retries, closing: AbortSignal) {
    this.#retries = retries;
    this.#closing = closing;
  }

  acquireInitialRetryToken(): Promise<RetryToken> {
    return Promise.resolve(new SdkAttempt(this.#retries.first()));
  }

  async refreshRetryTokenForRetry(token: RetryToken, { error }: RetryErrorInfo): Promise<RetryToken> {
    const verdict = judgeFailure(error);
    const next = verdict && token instanceof SdkAttempt && this.#retries.after(token.attempt, verdict);
    if (!next) throw new Error('the request is not made again');
    await pause(next.wait, undefined, { signal: this.#closing });
    return new SdkAttempt(next.attempt);
  }

  recordSuccess(token: RetryToken): void {
    if (token instanceof SdkAttempt) this.#retries.succeeded(token.attempt);
  }
}
