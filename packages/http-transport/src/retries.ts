import { setTimeout as pause } from 'node:timers/promises';

/**
 * Why a request may be made again:
 * - `stale`: it went over a connection that had died in the pool; that is nobody's fault, so the next attempt goes
 *   over a new one at once and costs nothing;
 * - `corrected`: what the store refused it for has been mended since, such as a wrong clock: the next attempt is made
 *   at once and costs nothing;
 * - `transient`: something broke on the way, or the store failed;
 * - `throttled`: the store asks for fewer requests.
 */
export type RetryReason = 'stale' | 'corrected' | 'transient' | 'throttled';

/** What is known of a failure. */
export interface RetryVerdict {
  readonly reason: RetryReason;
  /** How long the store asks us to wait, in milliseconds. */
  readonly retryAfter?: number | undefined;
}

/** One of the attempts at a request. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Whether it is to go over a connection that nobody has used. */
  readonly fresh: boolean;
  /** What it took out of the budget. */
  readonly cost: number;
}

/** Limits of one request. */
export interface RetryRunOptions {
  /** Ends a pause. */
  readonly signal?: AbortSignal | undefined;
  /** Of all pauses together, in milliseconds: a retry that would exceed it is not made. Default: no limit. */
  readonly longestWait?: number;
}

/** How often, how long, how much. Times are in milliseconds. */
export interface RetryOptions {
  /** Most attempts at one request, the first included. 3. */
  readonly maxAttempts?: number;
  /** What all retries together may take until successes have put it back. 500. */
  readonly budget?: number;
  /** Picks a point of the wait, from 0 to 1. */
  readonly random?: () => number;
}

// The figures are those of the AWS SDKs' standard mode, so that both ways of making a request behave alike:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
const COSTS = { stale: 0, corrected: 0, transient: 14, throttled: 5 } as const;
const FIRST_WAITS = { stale: 0, corrected: 0, transient: 50, throttled: 1_000 } as const;
const LONGEST_WAIT = 20_000;
/** How much longer than we would the store may make us wait. */
const LONGEST_HINT = 5_000;
/** What a success without a retry puts back. */
const REWARD = 1;

/**
 * Decides whether a request is made again, and when: with exponential back-off and full jitter, out of one budget for
 * all requests, so that a store in trouble is not asked three times as much as one in health.
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

  /** The attempt after one that failed, and how long to wait before it; `undefined`: it is not made. */
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

  /** An attempt was answered: the budget gets back what it took. */
  succeeded({ cost }: Attempt): void {
    this.#budget = Math.min(this.#size, this.#budget + (cost || REWARD));
  }

  /**
   * Makes a request until it is answered, or not made again.
   * @param judge says of a failure why the request may be made again; `undefined`: it may not.
   * @throws what the last attempt threw; the signal's reason.
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
