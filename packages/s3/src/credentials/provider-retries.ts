import { setTimeout as pause } from 'node:timers/promises';
import type { Attempt, Retries } from '@imgproxy-cache/http-transport';
import type { RetryErrorInfo, RetryStrategyV2, RetryToken } from '@smithy/types';
import { judgeFailure } from '../requests/retries.js';

/** How the SDK's clients for credentials retry. */
export interface ProviderRetries {
  /** Also sent in a header, by which {@link SdkTransport} recognises the last attempt. */
  readonly maxAttempts: number;
  readonly retryStrategy: RetryStrategyV2;
}

/**
 * Lets the SDK's clients for credentials retry by the driver's rules and out of one budget.
 * @param closing ends the waits, since the SDK passes no signal
 */
export function providerRetries(retries: Retries, closing: AbortSignal): ProviderRetries {
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
