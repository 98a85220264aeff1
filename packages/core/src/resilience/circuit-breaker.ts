import { CacheError, type Clock, type Timer } from '../driver/index.js';
import { type OperationTotals, OperationWindow } from './operation-window.js';

/**
 * - `closed`: operations are allowed.
 * - `open`: the store has failed too often; operations are refused.
 * - `half-open`: operations are still refused while a probe tests the store in the background.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerSettings {
  /** Share of failed or slow operations, up to 1, at which it opens. 0: it never opens, for any reason. */
  readonly threshold: number;
  /** Operations of this many latest seconds count. */
  readonly windowSeconds: number;
  /** With fewer operations in the window, the share of failures does not open it. */
  readonly minOperations: number;
  /** How long it first stays open. Each failed probe doubles that. */
  readonly retrySeconds: number;
  /** The longest time until the next probe. */
  readonly maxRetrySeconds: number;
}

export interface BreakerParts {
  readonly settings: BreakerSettings;
  readonly clock: Clock;
  /** How long an operation may take, in seconds. */
  readonly deadlineSeconds: number;
  /** Tests the store in the background. Rejects with a `CacheError` if the store still fails. */
  probe(): Promise<void>;
  onChange(change: BreakerChange): void;
}

/** A change of a breaker's state. */
export interface BreakerChange {
  readonly state: BreakerState;
  readonly previous: BreakerState;
  /** What opened it, or keeps it open. */
  readonly reason: CacheError | undefined;
}

/** An operation that a breaker counts. It ends once: a second end has no effect. */
export interface Attempt {
  /** When it began, on the monotonic clock. */
  readonly started: number;
  /** @param saved how much longer the caller would have waited without this result, in milliseconds */
  succeed(saved: number): void;
  /** @param reason why the operation failed, or that it was too slow */
  fail(reason: CacheError): void;
  /** Ends the operation without counting it, such as one that its caller aborted. */
  forget(): void;
}

/** The error of an operation that an open breaker refused. */
export class CircuitOpenError extends CacheError {}

// Fewer failures are treated as chance.
const MIN_FAILURES = 3;
const MIN_FAILED_SHARE = 0.01;
// A second lost in a failure weighs as much as two seconds of rendering saved.
const WEIGHT_OF_LOST_TIME = 2;

/**
 * A circuit breaker (Nygard, "Release It!") for a store that costs more time than it saves. It opens
 *
 * - when the share of failures reaches the threshold;
 * - when failures cost more time than successes save, within the window or within the latest deadline. The time that
 *   pending operations have waited so far counts as lost; otherwise a store that hangs would be noticed one deadline late;
 * - at the third failure within one deadline without a success.
 *
 * While it is open, it probes in the background and closes when a probe succeeds. All times are milliseconds of one
 * monotonic clock.
 */
export class CircuitBreaker {
  readonly #parts: BreakerParts;
  readonly #window: OperationWindow;
  readonly #latest: OperationWindow;
  #state: BreakerState = 'closed';
  #reason: CacheError | undefined;
  #epoch = 0;
  #pending = 0;
  #sumOfStarts = 0;
  #failedProbes = 0;
  #closedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
    this.#window = new OperationWindow(parts.settings.windowSeconds * 1000);
    this.#latest = new OperationWindow(parts.deadlineSeconds * 1000);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether operations are allowed. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Increases with every opening and closing. Outcomes of operations from an earlier epoch are ignored. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The failure that opened it; absent while it is closed. */
  get reason(): CacheError | undefined {
    return this.#reason;
  }

  /**
   * Begins an operation.
   * @param started when, if it is not now
   * @param epoch the epoch in which it began, if it is not the current one
   */
  begin(started = this.#parts.clock.monotonic(), epoch = this.#epoch): Attempt {
    this.#pending++;
    this.#sumOfStarts += started;
    let isPending = true;
    const end = (): boolean => {
      if (!isPending) return false;
      isPending = false;
      this.#pending--;
      this.#sumOfStarts -= started;
      return epoch === this.#epoch && this.#state === 'closed';
    };
    return {
      started,
      succeed: (saved) => end() && this.#succeed(saved),
      fail: (reason) => end() && this.#fail(started, reason),
      forget: end,
    };
  }

  /** Stops probing. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #succeed(saved: number): void {
    const now = this.#parts.clock.monotonic();
    this.#window.succeed(now, saved);
    this.#latest.succeed(now, saved);
  }

  #fail(started: number, reason: CacheError): void {
    const now = this.#parts.clock.monotonic();
    this.#window.fail(now, now - started);
    this.#latest.fail(now, now - started);
    if (!this.#isTooMuch(now)) return;
    // A failure soon after a successful probe counts as the same outage.
    if (now - this.#closedAt > this.#parts.settings.windowSeconds * 1000) this.#failedProbes = 0;
    else this.#failedProbes++;
    this.#open(reason);
  }

  #isTooMuch(now: number): boolean {
    const { threshold, minOperations } = this.#parts.settings;
    if (threshold === 0) return false;
    const all = this.#window.totals(now);
    if (all.operations >= minOperations && all.failures >= all.operations * threshold) return true;
    const waiting = this.#pending * now - this.#sumOfStarts;
    const latest = this.#latest.totals(now);
    return (
      (latest.failures >= MIN_FAILURES && latest.failures === latest.operations) ||
      costsMoreThanItGives(latest, waiting) ||
      costsMoreThanItGives(all, waiting)
    );
  }

  #open(reason: CacheError): void {
    const { settings, clock } = this.#parts;
    this.#epoch++;
    this.#change('open', reason);
    if (this.#stopped) return;
    const seconds = Math.min(settings.retrySeconds * 2 ** this.#failedProbes, settings.maxRetrySeconds);
    this.#timer = clock.setTimer(() => void this.#probe(), seconds * 1000);
    this.#timer.unref?.();
  }

  async #probe(): Promise<void> {
    this.#change('half-open', this.#reason);
    try {
      await this.#parts.probe();
    } catch (error) {
      this.#failedProbes++;
      this.#open(error as CacheError);
      return;
    }
    this.#epoch++;
    this.#closedAt = this.#parts.clock.monotonic();
    this.#window.clear();
    this.#latest.clear();
    this.#change('closed', undefined);
  }

  #change(state: BreakerState, reason: CacheError | undefined): void {
    const previous = this.#state;
    this.#state = state;
    this.#reason = reason;
    this.#parts.onChange({ state, previous, reason });
  }
}

function costsMoreThanItGives(
  { operations, failures, lost, saved }: OperationTotals,
  waiting: number,
): boolean {
  if (failures < MIN_FAILURES || failures < operations * MIN_FAILED_SHARE) return false;
  return (lost + waiting) * WEIGHT_OF_LOST_TIME > saved;
}
