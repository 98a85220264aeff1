import { CacheError, type Clock, type Timer } from '../driver/index.js';
import { type OperationTotals, OperationWindow } from './operation-window.js';

/**
 * - `closed`: operations go through.
 * - `open`: the store has failed too often; nothing goes through.
 * - `half-open`: nothing goes through yet; a probe in the background tries whether the store is well again.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerSettings {
  /** Share of failed or slow operations, above 0 to 1, at which it opens. 0: it never opens, for whatever reason. */
  readonly threshold: number;
  /** Of how many of the latest seconds operations count. */
  readonly windowSeconds: number;
  /** Below this number of operations in the window their share does not open it. */
  readonly minOperations: number;
  /** How long it stays open at first. Each probe that fails doubles it. */
  readonly retrySeconds: number;
  /** How long it stays open at most before the next probe. */
  readonly maxRetrySeconds: number;
}

export interface BreakerParts {
  readonly settings: BreakerSettings;
  readonly clock: Clock;
  /** How long an operation may take, in seconds. */
  readonly deadlineSeconds: number;
  /** Tries in the background whether the store is well. Rejects with a `CacheError` where it is not. */
  probe(): Promise<void>;
  onChange(change: BreakerChange): void;
}

/** How a breaker has just changed. */
export interface BreakerChange {
  readonly state: BreakerState;
  readonly previous: BreakerState;
  /** What opened it, or keeps it open. */
  readonly reason: CacheError | undefined;
}

/** Stands for the operations that an open breaker keeps from a driver. */
export class CircuitOpenError extends CacheError {}

// Fewer failures than these are bad luck.
const MIN_FAILURES = 3;
const MIN_FAILED_SHARE = 0.01;
// A second of waiting for nothing weighs as much as two seconds of rendering that were spared.
const WEIGHT_OF_LOST_TIME = 2;

/**
 * Keeps requests away from a store that costs them more than it gives (the circuit breaker of Nygard's "Release
 * It!"). It opens
 *
 * - when the share of failures reaches the threshold;
 * - when the time that failures cost outweighs the time that successes save, within the window or within the latest
 *   deadline. What operations under way have waited until now counts as lost, or a store that hangs would be noticed
 *   one deadline late;
 * - at the third failure within one deadline in which nothing succeeded.
 *
 * While it is open it probes in the background, and closes when a probe succeeds. All times are of one monotonic
 * clock, in milliseconds.
 */
export class CircuitBreaker {
  readonly #parts: BreakerParts;
  readonly #window: OperationWindow;
  readonly #latest: OperationWindow;
  #state: BreakerState = 'closed';
  #reason: CacheError | undefined;
  #epoch = 0;
  #underWay = 0;
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

  /** Whether operations may go through. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Operations of an earlier epoch say nothing. */
  get epoch(): number {
    return this.#epoch;
  }

  /** What opened it; absent while it is closed. */
  get reason(): CacheError | undefined {
    return this.#reason;
  }

  /**
   * Begins an operation, to be ended by `succeed`, `fail` or `forget`.
   * @returns the epoch, to be given back with the outcome: an operation of an earlier epoch says nothing
   */
  begin(now: number): number {
    this.#underWay++;
    this.#sumOfStarts += now;
    return this.#epoch;
  }

  /** @param saved how long the caller would have waited without this operation's result */
  succeed(epoch: number, started: number, now: number, saved: number): void {
    this.forget(started);
    if (epoch !== this.#epoch || this.#state !== 'closed') return;
    this.#window.succeed(now, saved);
    this.#latest.succeed(now, saved);
  }

  /** @param reason why the operation failed, or that it was slow */
  fail(epoch: number, started: number, now: number, reason: CacheError): void {
    this.forget(started);
    if (epoch !== this.#epoch || this.#state !== 'closed') return;
    this.#window.fail(now, now - started);
    this.#latest.fail(now, now - started);
    if (!this.#isTooMuch(now)) return;
    // Soon after a probe that went well it is the same trouble as before.
    if (now - this.#closedAt > this.#parts.settings.windowSeconds * 1000) this.#failedProbes = 0;
    else this.#failedProbes++;
    this.#open(reason);
  }

  /** Ends an operation that says nothing about the store, such as one that its caller gave up. */
  forget(started: number): void {
    this.#underWay--;
    this.#sumOfStarts -= started;
  }

  /** Probes no more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #isTooMuch(now: number): boolean {
    const { threshold, minOperations } = this.#parts.settings;
    if (threshold === 0) return false;
    const all = this.#window.totals(now);
    if (all.operations >= minOperations && all.failures >= all.operations * threshold) return true;
    const waiting = this.#underWay * now - this.#sumOfStarts;
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
