import type { CacheError, CacheErrorCode, CacheOperation, Clock } from '../driver/index.js';
import type { BreakerState } from '../resilience/circuit-breaker.js';
import type { GuardedOperation } from './cache-events.js';

/** The health of a driver. Images are served in every state. */
export interface TierHealth {
  /** Name of the driver. */
  readonly driver: string;
  /**
   * - `healthy`: its last operation succeeded, or there was none.
   * - `degraded`: its last operation failed.
   * - `open`: look-ups, stores or both are suspended after too many failures or slow operations.
   */
  readonly status: 'healthy' | 'degraded' | 'open';
  /** Since when, in milliseconds since the Unix epoch. */
  readonly since: number;
  /** The reason in words, unless it is healthy. */
  readonly reason?: string;
  /** The code of the failure that caused it. */
  readonly code?: CacheErrorCode;
}

/** Derives a driver's health from the outcomes of its operations and the changes of its breakers. */
export class DriverHealth {
  readonly #driver: string;
  readonly #clock: Clock;
  readonly #suspended = new Map<GuardedOperation, TierHealth>();
  #last: TierHealth;

  constructor(driver: string, clock: Clock) {
    this.#driver = driver;
    this.#clock = clock;
    this.#last = { driver, status: 'healthy', since: clock.now() };
  }

  get current(): TierHealth {
    for (const suspended of this.#suspended.values()) return suspended;
    return this.#last;
  }

  noteSuccess(): void {
    if (this.#last.status !== 'healthy') {
      this.#last = { driver: this.#driver, status: 'healthy', since: this.#clock.now() };
    }
  }

  noteFailure(operation: CacheOperation, error: CacheError): void {
    this.#last = this.#sick('degraded', `the last ${operation} failed`, error, this.#last);
  }

  noteBreaker(operation: GuardedOperation, state: BreakerState, reason: CacheError | undefined): void {
    if (state === 'closed') {
      this.#suspended.delete(operation);
    } else if (reason !== undefined) {
      const before = this.#suspended.get(operation);
      this.#suspended.set(operation, this.#sick('open', `${operation} is suspended`, reason, before));
    }
  }

  #sick(
    status: 'degraded' | 'open',
    what: string,
    { code, message }: CacheError,
    before: TierHealth | undefined,
  ): TierHealth {
    const since = before?.status === status ? before.since : this.#clock.now();
    return { driver: this.#driver, status, since, reason: `${what}: ${message}`, code };
  }
}
