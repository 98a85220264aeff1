import type { CacheError, Clock } from '../driver/index.js';
import type { Logger } from './logger.js';

/**
 * Logs failures at most once per kind (driver, operation and code) and interval. The next line gives the number of
 * suppressed ones. Causes are not logged: those of stores may hold credentials and signed URLs.
 */
export class FailureLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #kinds = new Map<string, { loggedAt: number; suppressed: number }>();

  /** @param seconds the interval */
  constructor(logger: Logger, clock: Clock, seconds: number) {
    this.#logger = logger;
    this.#clock = clock;
    this.#interval = seconds * 1000;
  }

  warn(error: CacheError, consequence: string): void {
    const kind = `${error.driver} ${error.operation} ${error.code}`;
    const now = this.#clock.monotonic();
    const known = this.#kinds.get(kind);
    if (known !== undefined && now - known.loggedAt < this.#interval) {
      known.suppressed++;
      return;
    }
    this.#kinds.set(kind, { loggedAt: now, suppressed: 0 });
    this.#logger.warn(
      {
        code: error.code,
        operation: error.operation,
        driver: error.driver,
        retryable: error.retryable,
        suppressed: known?.suppressed ?? 0,
      },
      `cache ${error.operation ?? 'operation'} failed, ${consequence}: ${error.message}`,
    );
  }
}
