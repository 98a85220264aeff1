import {
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type CacheErrorCode,
  type CacheOperation,
  type Clock,
  type DriverCheck,
  isCacheError,
  type StoredEntry,
} from '../driver/index.js';
import { abortedError, Deadline } from '../policy/index.js';
import type { EventPublisher } from './cache-events.js';

export interface OperationTimeouts {
  /** In seconds, for one look-up. */
  readonly lookup: number;
  /** In seconds, for one store, one batch of deletions, the next name of a list, or the check. */
  readonly store: number;
}

/** How the driver's last operation went. */
export interface DriverHealth {
  readonly status: 'healthy' | 'degraded';
  /** When it became so, in milliseconds since the Unix epoch. */
  readonly since: number;
  /** The failure, where it is degraded. */
  readonly reason?: CacheError;
}

/**
 * The driver as the cache uses it: every operation has a deadline, every failure is a `CacheError` that names
 * driver and operation, and every end is an event.
 */
export class DriverOperations {
  readonly #driver: CacheDriver;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #events: EventPublisher;
  readonly #lookups: Deadline;
  readonly #stores: Deadline;
  readonly #deletions: Deadline;
  readonly #lists: Deadline;
  readonly #checks: Deadline;
  #health: DriverHealth;

  constructor(
    driver: CacheDriver,
    name: string,
    clock: Clock,
    events: EventPublisher,
    timeouts: OperationTimeouts,
  ) {
    this.#driver = driver;
    this.#name = name;
    this.#clock = clock;
    this.#events = events;
    this.#lookups = new Deadline(clock, 'get', timeouts.lookup);
    this.#stores = new Deadline(clock, 'put', timeouts.store);
    this.#deletions = new Deadline(clock, 'delete', timeouts.store);
    this.#lists = new Deadline(clock, 'list', timeouts.store);
    this.#checks = new Deadline(clock, 'check', timeouts.store);
    this.#health = { status: 'healthy', since: clock.now() };
  }

  get health(): DriverHealth {
    return this.#health;
  }

  /**
   * Gets an entry and reads of it what `read` wants, both within the look-up's deadline.
   * @returns `undefined` for a miss
   */
  async lookup<T>(
    name: string,
    read: (entry: StoredEntry, signal: AbortSignal) => Promise<T>,
    release: (late: T) => void,
  ): Promise<T | undefined> {
    const started = this.#clock.monotonic();
    let bytes = 0;
    try {
      const found = await this.#lookups.run<T | undefined>(
        async (signal) => {
          const entry = await this.#driver.get(name, { signal });
          if (entry === undefined) return undefined;
          if (signal.aborted) {
            await entry.discard();
            throw abortedError('get', signal);
          }
          bytes = entry.metadata.size;
          return await read(entry, signal);
        },
        (late) => {
          if (late !== undefined) release(late);
        },
      );
      this.#succeed('get', this.#clock.monotonic() - started, bytes);
      return found;
    } catch (thrown) {
      throw this.#fail(thrown, 'get', this.#clock.monotonic() - started);
    }
  }

  put(name: string, entry: CacheEntry, signal: AbortSignal): Promise<void> {
    return this.#observe('put', entry.body.length, () =>
      this.#stores.run((inner) => this.#driver.put(name, entry, { signal: inner }), undefined, signal),
    );
  }

  delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#observe('delete', 0, () =>
      this.#deletions.run((inner) => this.#driver.delete(names, { signal: inner }), undefined, signal),
    );
  }

  /** Names of the driver, each within the deadline; its duration leaves out what the caller does meanwhile. */
  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
    const names = this.#driver.list(prefix, { signal })[Symbol.asyncIterator]();
    let duration = 0;
    try {
      for (;;) {
        const asked = this.#clock.monotonic();
        const step = await this.#lists
          .run(() => names.next(), undefined, signal)
          .finally(() => {
            duration += this.#clock.monotonic() - asked;
          });
        if (step.done === true) break;
        yield step.value;
      }
    } catch (thrown) {
      throw this.#fail(thrown, 'list', duration);
    } finally {
      // A list that hangs answers late or never: nobody waits for it.
      names.return?.().then(undefined, () => undefined);
    }
    this.#succeed('list', duration, 0);
  }

  async check(): Promise<DriverCheck> {
    const check = await this.#observe('check', 0, () =>
      this.#checks.run((signal) => this.#driver.check({ signal })),
    );
    const failure = check.findings.find((finding) => finding.level === 'error')?.error;
    if (failure !== undefined) this.#degrade(failure);
    return check;
  }

  close(): Promise<void> {
    return this.#observe('close', 0, () => this.#driver.close());
  }

  /**
   * Notes a failure of a body that is being streamed.
   * @param duration of the stream until then, in milliseconds
   */
  noteLateFailure(thrown: unknown, duration: number): CacheError {
    return this.#fail(thrown, 'get', duration);
  }

  async #observe<T>(operation: CacheOperation, bytes: number, work: () => Promise<T>): Promise<T> {
    const started = this.#clock.monotonic();
    try {
      const result = await work();
      this.#succeed(operation, this.#clock.monotonic() - started, bytes);
      return result;
    } catch (thrown) {
      throw this.#fail(thrown, operation, this.#clock.monotonic() - started);
    }
  }

  #succeed(operation: CacheOperation, duration: number, bytes: number): void {
    this.#events.publish('operation', { operation, duration, bytes });
    if (this.#health.status === 'degraded') this.#health = { status: 'healthy', since: this.#clock.now() };
  }

  #fail(thrown: unknown, operation: CacheOperation, duration: number): CacheError {
    const error = this.#asCacheError(thrown, operation);
    if (!isNoFailure(error.code, operation)) {
      this.#events.publish('operation', { operation, duration, bytes: 0, code: error.code });
      this.#degrade(error);
    }
    return error;
  }

  #degrade(error: CacheError): void {
    const since = this.#health.status === 'degraded' ? this.#health.since : this.#clock.now();
    this.#health = { status: 'degraded', since, reason: error };
  }

  #asCacheError(thrown: unknown, operation: CacheOperation): CacheError {
    if (!isCacheError(thrown)) {
      return new CacheError(
        'ERR_CACHE_DRIVER_CONTRACT',
        `driver ${this.#name} failed with something that is not a CacheError: report it to the driver's author`,
        { driver: this.#name, operation, cause: thrown },
      );
    }
    if (thrown.driver !== undefined && thrown.operation !== undefined) return thrown;
    return new CacheError(thrown.code, thrown.message, {
      driver: thrown.driver ?? this.#name,
      operation: thrown.operation ?? operation,
      retryable: thrown.retryable,
      cause: thrown.cause,
      ...(thrown.failedNames !== undefined && { failedNames: thrown.failedNames }),
    });
  }
}

// The store did what it should: a caller went away, it gave back what somebody else had put there, or it
// refused what it does not take.
function isNoFailure(code: CacheErrorCode, operation: CacheOperation): boolean {
  if (code === 'ERR_CACHE_ABORTED') return true;
  return operation === 'get'
    ? code === 'ERR_CACHE_CORRUPT' || code === 'ERR_CACHE_UNSUPPORTED'
    : code === 'ERR_CACHE_TOO_LARGE';
}
