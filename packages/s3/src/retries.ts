import { StandardRetryStrategy } from '@smithy/core/retry';
import type { RetryStrategyV2 } from '@smithy/types';

/** How a client of the SDK tries again. Clients that share it share its budget. */
export interface Retries {
  /** Also announced to the store in a header, by which the last attempt is known. */
  readonly maxAttempts: number;
  readonly retryStrategy: RetryStrategyV2;
}

/** Three attempts with back-off, whatever the environment says, out of a budget that successes fill again. */
export function makeRetries(): Retries {
  const maxAttempts = 3;
  return { maxAttempts, retryStrategy: new StandardRetryStrategy(maxAttempts) };
}
