import { setTimeout as pause } from 'node:timers/promises';
import type { Attempt, Retries } from '@imgproxy-cache/http-transport';
import type { RetryStrategyV2, RetryToken } from '@smithy/types';
import { judgeFailure } from '../requests/retries.js';

/** How the SDK's clients for credentials retry. */
export interface ProviderRetries {
  /** Also sent in a header, by which {@link SdkTransport} recognises the last attempt. */
  readonly maxAttempts: number;
  readonly retryStrategy: RetryStrategyV2;
}

interface ProviderAttempt extends RetryToken {
  readonly attempt: Attempt;
}

/**
 * Lets the SDK's clients for credentials retry by the driver's rules and out of one budget.
 * @param closing ends the pauses, since the SDK passes no signal
 */
export function providerRetries(retries: Retries, closing: AbortSignal): ProviderRetries {
  const tokenOf = (attempt: Attempt): ProviderAttempt => ({
    attempt,
    getRetryCount: () => attempt.number - 1,
    // The strategy has waited already, as the SDK's own does.
    getRetryDelay: () => 0,
  });
  const attemptOf = (token: RetryToken): Attempt => (token as ProviderAttempt).attempt;
  const retryStrategy: RetryStrategyV2 = {
    acquireInitialRetryToken: () => Promise.resolve(tokenOf(retries.first())),
    async refreshRetryTokenForRetry(token, { error }) {
      const verdict = judgeFailure(error);
      const next = verdict && retries.after(attemptOf(token), verdict);
      if (next === undefined) throw new Error('the request is not made again');
      await pause(next.wait, undefined, { signal: closing });
      return tokenOf(next.attempt);
    },
    recordSuccess: (token) => retries.succeeded(attemptOf(token)),
  };
  return { maxAttempts: retries.maxAttempts, retryStrategy };
}
