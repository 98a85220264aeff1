import { CacheError } from '../driver/index.js';

/**
 * - `closed`: operations go through.
 * - `open`: the store has failed too often; nothing goes through.
 * - `half-open`: one operation is under way that tries whether the store is well again.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** What an operation may do. Who is told to `probe` must report how it went. */
export type Admission = 'pass' | 'probe' | 'refuse';

export interface BreakerSettings {
  /** Share of failed or slow operations, above 0 to 1, at which it opens. 0: never. */
  readonly threshold: number;
  /** Of how many of the latest seconds operations count. */
  readonly windowSeconds: number;
  /** Below this number of operations in the window it does not open. */
  readonly minOperations: number;
  /** How long it stays open at first. Each probe that fails doubles it. */
  readonly retrySeconds: number;
  /** How long it stays open at most before the next probe. */
  readonly maxRetrySeconds: number;
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

const BUCKETS = 10;

interface Bucket {
  /** Number of the tenth of the window that it counts. */
  tenth: number;
  operations: number;
  failures: number;
}

/**
 * Keeps requests away from a store that is down (the circuit breaker of Nygard's "Release It!"). It needs no
 * timer: the first operation after its wait is the probe. All times are of one monotonic clock, in milliseconds.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #onChange: (change: BreakerChange) => void;
  readonly #tenthMilliseconds: number;
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({
    tenth: -1,
    operations: 0,
    failures: 0,
  }));
  #state: BreakerState = 'closed';
  #reason: CacheError | undefined;
  #epoch = 0;
  #failedProbes = 0;
  #retryAt = 0;
  #closedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: BreakerSettings, onChange: (change: BreakerChange) => void) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#tenthMilliseconds = (settings.windowSeconds * 1000) / BUCKETS;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** What opened it; absent while it is closed. */
  get reason(): CacheError | undefined {
    return this.#reason;
  }

  /** To be kept by an operation that begins, and given back with its outcome: one of another epoch says nothing. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether an operation would be refused now. Changes nothing. */
  refuses(now: number): boolean {
    return this.#state === 'half-open' || (this.#state === 'open' && now < this.#retryAt);
  }

  /** Asks for an operation that begins now. */
  admit(now: number): Admission {
    if (this.#state === 'closed') return 'pass';
    if (this.refuses(now)) return 'refuse';
    this.#epoch++;
    this.#change('half-open', this.#reason);
    return 'probe';
  }

  succeed(epoch: number, now: number): void {
    if (epoch !== this.#epoch) return;
    if (this.#state === 'closed') {
      this.#bucket(now).operations++;
    } else if (this.#state === 'half-open') {
      this.#epoch++;
      this.#closedAt = now;
      for (const bucket of this.#buckets) bucket.tenth = -1;
      this.#change('closed', undefined);
    }
  }

  /** @param reason why the operation failed, or that it was slow */
  fail(epoch: number, now: number, reason: CacheError): void {
    if (epoch !== this.#epoch) return;
    if (this.#state === 'half-open') {
      this.#failedProbes++;
      this.#open(now, reason);
    } else if (this.#state === 'closed') {
      const bucket = this.#bucket(now);
      bucket.operations++;
      bucket.failures++;
      if (!this.#isTooMuch(now)) return;
      // Soon after a probe that went well it is the same trouble as before.
      if (now - this.#closedAt > this.#settings.windowSeconds * 1000) this.#failedProbes = 0;
      else this.#failedProbes++;
      this.#open(now, reason);
    }
  }

  /** Ends an operation that says nothing about the store, such as one that its caller gave up. */
  forget(epoch: number, now: number): void {
    if (epoch === this.#epoch && this.#state === 'half-open') this.#open(now, this.#reason);
  }

  #open(now: number, reason: CacheError | undefined): void {
    const { retrySeconds, maxRetrySeconds } = this.#settings;
    const seconds = Math.min(retrySeconds * 2 ** this.#failedProbes, maxRetrySeconds);
    this.#retryAt = now + seconds * 1000;
    this.#epoch++;
    this.#change('open', reason);
  }

  #change(state: BreakerState, reason: CacheError | undefined): void {
    const previous = this.#state;
    this.#state = state;
    this.#reason = reason;
    this.#onChange({ state, previous, reason });
  }

  #isTooMuch(now: number): boolean {
    const { threshold, minOperations } = this.#settings;
    if (threshold === 0) return false;
    const oldest = this.#tenthAt(now) - BUCKETS + 1;
    let operations = 0;
    let failures = 0;
    for (const bucket of this.#buckets) {
      if (bucket.tenth < oldest) continue;
      operations += bucket.operations;
      failures += bucket.failures;
    }
    return operations >= minOperations && failures >= operations * threshold;
  }

  #bucket(now: number): Bucket {
    const tenth = this.#tenthAt(now);
    const bucket = this.#buckets[tenth % BUCKETS] as Bucket;
    if (bucket.tenth !== tenth) {
      bucket.tenth = tenth;
      bucket.operations = 0;
      bucket.failures = 0;
    }
    return bucket;
  }

  #tenthAt(now: number): number {
    return Math.floor(now / this.#tenthMilliseconds);
  }
}
