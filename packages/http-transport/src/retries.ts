import { setTimeout as pause } from 'node:timers/promises';

/**
 * Why a request may be retried:
 * - `stale`: its pooled connection was dead. The next attempt uses a new one, at once and at no cost;
 * - `corrected`: the reason of the refusal is gone, such as a wrong clock. The next attempt is made at once and at no cost;
 * - `transient`: the connection or the store failed;
 * - `throttled`: the store asks for fewer requests.
 */
export type RetryReason = 'stale' | 'corrected' | 'transient' | 'throttled';

/** What a failure means for the next attempt. */
export interface RetryVerdict {
  readonly reason: RetryReason;
  /** How long the store asks the client to wait, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** An attempt at a request. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Whether it needs a new connection. */
  readonly fresh: boolean;
  /** What it took out of the budget. */
  readonly cost: number;
}

/** Limits of one request. */
export interface RetryRunOptions {
  /** Ends a pause. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time of all pauses together, in milliseconds: a retry that would exceed it is not made. Default: no limit. */
  readonly longestWait?: number;
}

/** Settings of {@link Retries}, each with its default. */
export interface RetryOptions {
  /** Most attempts at one request, including the first. 3. */
  readonly maxAttempts?: number;
  /** What all retries together may cost until successes restore it. 500. */
  readonly budget?: number;
  /** Chooses the pause between none (0) and the longest (1). */
  readonly random?: () => number;
}

// The figures of the AWS SDKs' standard mode:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
const COSTS = { stale: 0, corrected: 0, transient: 14, throttled: 5 } as const;
const FIRST_WAITS = { stale: 0, corrected: 0, transient: 50, throttled: 1_000 } as const;
const LONGEST_WAIT = 20_000;
/** The most that a store's wish may add to a pause. */
const LONGEST_HINT = 5_000;
/** What a success without a retry restores. */
const REWARD = 1;

/**
 * Decides whether and when a request is retried: with exponential back-off and full jitter, out of one budget for all
 * requests, so that a failing store does not get three times the requests.
 */
export class Retries {
  readonly maxAttempts: number;
  readonly #size: number;
  readonly #random: () => number;
  #budget: number;

  constructor({ maxAttempts = 3, budget = 500, random = Math.random }: RetryOptions = {}) {
    this.maxAttempts = maxAttempts;
    this.#size = budget;
    this.#budget = budget;
    this.#random = random;
  }

  /** The first attempt at a request. */
  first(): Attempt {
    return { number: 1, fresh: false, cost: 0 };
  }

  /** The attempt after a failed one, and how long to wait before it. `undefined`: there is none. */
  after(
    { number }: Attempt,
    { reason, retryAfter = 0 }: RetryVerdict,
    longestWait: number = Number.POSITIVE_INFINITY,
  ): { readonly attempt: Attempt; readonly wait: number } | undefined {
    const cost = COSTS[reason];
    if (number >= this.maxAttempts || cost > this.#budget) return undefined;
    const backOff = this.#random() * Math.min(LONGEST_WAIT, FIRST_WAITS[reason] * 2 ** (number - 1));
    const wait = Math.max(backOff, Math.min(retryAfter, backOff + LONGEST_HINT));
    if (wait > longestWait) return undefined;
    this.#budget -= cost;
    const fresh = reason === 'stale' || number + 1 === this.maxAttempts;
    return { attempt: { number: number + 1, fresh, cost }, wait };
  }

  /** Restores to the budget what a successful attempt cost. */
  succeeded({ cost }: Attempt): void {
    this.#budget = Math.min(this.#size, this.#budget + (cost || REWARD));
  }

  /**
   * Makes a request until it succeeds or is not retried.
   * @param judge says why a failed request may be retried. `undefined`: it may not
   * @throws what the last attempt threw, or the signal's reason
   */
  async run<Result>(
    work: (attempt: Attempt) => Promise<Result>,
    judge: (error: unknown) => RetryVerdict | undefined,
    { signal, longestWait = Number.POSITIVE_INFINITY }: RetryRunOptions = {},
  ): Promise<Result> {
    let waited = 0;
    for (let attempt = this.first(); ; ) {
      try {
        const result = await work(attempt);
        this.succeeded(attempt);
        return result;
      } catch (error) {
        const verdict = signal?.aborted === true ? undefined : judge(error);
        const next = verdict === undefined ? undefined : this.after(attempt, verdict, longestWait - waited);
        if (next === undefined) throw error;
        waited += next.wait;
        if (next.wait > 0) await pause(next.wait, undefined, signal && { signal });
        attempt = next.attempt;
      }
    }
  }
}
