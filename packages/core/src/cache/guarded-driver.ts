import {
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type CacheErrorCode,
  type CacheOperation,
  type Clock,
  checkDriver,
  type DriverCheck,
  isCacheError,
  type StoredEntry,
} from '../driver/index.js';
import {
  type BreakerChange,
  type BreakerSettings,
  CircuitBreaker,
  CircuitOpenError,
} from '../resilience/circuit-breaker.js';
import { Deadline } from '../resilience/deadline.js';
import type { Logger } from '../resilience/logger.js';
import type { EventPublisher, GuardedOperation } from './cache-events.js';
import { DriverHealth, type TierHealth } from './driver-health.js';

export interface GuardedDriverParts {
  readonly driver: CacheDriver;
  readonly name: string;
  readonly clock: Clock;
  readonly events: EventPublisher;
  readonly logger: Logger;
  /** In seconds, for a put, a batch of deletions, the next name of a list, or the check. */
  readonly storeTimeout: number;
  /** The name that the check may use. */
  readonly reservedName: string;
  readonly breaker: BreakerSettings;
}

/**
 * Wraps a driver for the cache. Every operation except `get` has a deadline. Every failure becomes a `CacheError` that
 * names driver and operation. Every outcome is published as an event and updates the health, as do the breakers made
 * here. Look-ups have deadlines and breakers of their own: see `EntryLookup`.
 */
export class GuardedDriver {
  readonly name: string;
  readonly #driver: CacheDriver;
  readonly #held: CacheDriver['held'];
  readonly #get: CacheDriver['get'];
  readonly #parts: GuardedDriverParts;
  readonly #stores: Deadline;
  readonly #deletions: Deadline;
  readonly #lists: Deadline;
  readonly #checks: Deadline;
  readonly #closes: Deadline;
  readonly #breakers: CircuitBreaker[] = [];
  readonly #writes: CircuitBreaker;
  readonly #health: DriverHealth;

  constructor(parts: GuardedDriverParts) {
    const { driver, name, clock, storeTimeout } = parts;
    this.name = name;
    this.#driver = driver;
    this.#held = ownerOf(driver, 'held') === ownerOf(driver, 'get') ? driver.held : undefined;
    this.#get = driver.get;
    this.#parts = parts;
    this.#stores = new Deadline(clock, 'put', storeTimeout);
    this.#deletions = new Deadline(clock, 'delete', storeTimeout);
    this.#lists = new Deadline(clock, 'list', storeTimeout);
    this.#checks = new Deadline(clock, 'check', storeTimeout);
    this.#closes = new Deadline(clock, 'close', storeTimeout);
    this.#writes = this.breaker('put', storeTimeout, () => this.#probeByCheck());
    this.#health = new DriverHealth(name, clock);
  }

  get health(): TierHealth {
    return this.#health.current;
  }

  /** Creates the breaker of an operation. Closing the driver stops it. */
  breaker(operation: GuardedOperation, deadlineSeconds: number, probe: () => Promise<void>): CircuitBreaker {
    const { breaker: settings, clock } = this.#parts;
    const onChange = (change: BreakerChange): void => this.#noteChange(operation, change);
    const breaker = new CircuitBreaker({ settings, clock, deadlineSeconds, probe, onChange });
    this.#breakers.push(breaker);
    return breaker;
  }

  /** The error of operations that a breaker refuses. */
  refused(operation: GuardedOperation, { reason }: CircuitBreaker): CircuitOpenError {
    return new CircuitOpenError(
      'ERR_CACHE_UNAVAILABLE',
      `${operation} is suspended after too many failures, the latest: ${reason?.message}`,
      { driver: this.name, operation: operation === 'put' ? 'put' : 'get', retryable: true },
    );
  }

  /** The error of stores while they are suspended; `undefined` otherwise. */
  get refusesStores(): CircuitOpenError | undefined {
    return this.#writes.isClosed ? undefined : this.refused('put', this.#writes);
  }

  /** The entry that the driver holds verified in memory, if any: see `CacheDriver.held`. */
  held(name: string): CacheEntry | undefined {
    // A `get` that was replaced later, such as by a test's spy, must not be bypassed either.
    if (this.#held === undefined || this.#driver.get !== this.#get) return undefined;
    const entry = this.#held.call(this.#driver, name);
    if (entry !== undefined) {
      const { events } = this.#parts;
      if (events.hasSubscribers('operation')) {
        events.publish('operation', { operation: 'get', duration: 0, bytes: entry.body.length });
      }
      this.#health.noteSuccess();
    }
    return entry;
  }

  /** The driver's own `get`. */
  get(name: string, signal: AbortSignal): Promise<StoredEntry | undefined> {
    return this.#driver.get(name, { signal });
  }

  /** @throws CircuitOpenError while stores are suspended */
  async put(name: string, entry: CacheEntry, signal: AbortSignal): Promise<void> {
    if (!this.#writes.isClosed) throw this.refused('put', this.#writes);
    const attempt = this.#writes.begin();
    // No request waits for a store, so its time is never lost: only the share of failures counts.
    const saved = Number.POSITIVE_INFINITY;
    try {
      await this.#stores.run((inner) => this.#driver.put(name, entry, { signal: inner }), undefined, signal);
    } catch (thrown) {
      const error = this.fail(thrown, 'put', attempt.started);
      if (error.code === 'ERR_CACHE_ABORTED') attempt.forget();
      else if (isHarmless(error.code, 'put')) attempt.succeed(saved);
      else attempt.fail(error);
      throw error;
    }
    this.succeed('put', attempt.started, entry.body.length);
    const duration = this.#parts.clock.monotonic() - attempt.started;
    if (duration >= this.#parts.storeTimeout * 500) attempt.fail(this.slow('put', duration));
    else attempt.succeed(saved);
  }

  delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#observe('delete', () =>
      this.#deletions.run((inner) => this.#driver.delete(names, { signal: inner }), undefined, signal),
    );
  }

  /** Lists names, each within the deadline. The duration of the event excludes the caller's own time. */
  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
    const { clock } = this.#parts;
    const names = this.#driver.list(prefix, { signal })[Symbol.asyncIterator]();
    let duration = 0;
    try {
      for (;;) {
        const asked = clock.monotonic();
        const step = await this.#lists
          .run(() => names.next(), undefined, signal)
          .finally(() => {
            duration += clock.monotonic() - asked;
          });
        if (step.done === true) break;
        yield step.value;
      }
    } catch (thrown) {
      throw this.fail(thrown, 'list', clock.monotonic() - duration);
    } finally {
      // Not awaited: a list that hangs settles late or never.
      names.return?.().then(undefined, () => undefined);
    }
    this.succeed('list', clock.monotonic() - duration, 0);
  }

  async check(): Promise<DriverCheck> {
    const check = await this.#observe('check', () =>
      this.#checks.run((signal) => checkDriver(this.#driver, this.#parts, { signal })),
    );
    const failure = errorOf(check);
    if (failure !== undefined) this.#health.noteFailure('check', failure);
    return check;
  }

  /** Records that the cache starts to serve before the check has ended. */
  noteLateCheck(error: CacheError): void {
    this.#health.noteFailure('check', error);
  }

  close(): Promise<void> {
    for (const breaker of this.#breakers) breaker.stop();
    return this.#observe('close', () => this.#closes.run(() => this.#driver.close()));
  }

  /** Records that an operation succeeded. */
  succeed(operation: CacheOperation, started: number, bytes: number): void {
    const { clock, events } = this.#parts;
    events.publish('operation', { operation, duration: clock.monotonic() - started, bytes });
    this.#health.noteSuccess();
  }

  /**
   * Records that an operation failed.
   * @returns the failure as a `CacheError` that names driver and operation
   */
  fail(thrown: unknown, operation: CacheOperation, started: number): CacheError {
    const error = this.#asCacheError(thrown, operation);
    if (isHarmless(error.code, operation)) return error;
    const { clock, events } = this.#parts;
    const duration = clock.monotonic() - started;
    events.publish('operation', { operation, duration, bytes: 0, code: error.code });
    this.#health.noteFailure(operation, error);
    return error;
  }

  /** The error under which an operation that succeeded too slowly counts as failed. */
  slow(operation: GuardedOperation, duration: number): CacheError {
    const seconds = (duration / 1000).toFixed(3);
    return new CacheError('ERR_CACHE_TIMEOUT', `${operation} took ${seconds} seconds`, {
      driver: this.name,
      operation: operation === 'put' ? 'put' : 'get',
    });
  }

  async #observe<T>(operation: CacheOperation, work: () => Promise<T>): Promise<T> {
    const started = this.#parts.clock.monotonic();
    try {
      const result = await work();
      this.succeed(operation, started, 0);
      return result;
    } catch (thrown) {
      throw this.fail(thrown, operation, started);
    }
  }

  async #probeByCheck(): Promise<void> {
    const failure = errorOf(await this.check());
    if (failure !== undefined) throw failure;
  }

  #noteChange(operation: GuardedOperation, { state, previous, reason }: BreakerChange): void {
    const { events, logger } = this.#parts;
    events.publish('breaker', { operation, state, previous });
    this.#health.noteBreaker(operation, state, reason);
    const fields = { driver: this.name, operation, ...(reason !== undefined && { code: reason.code }) };
    // Failed probes are not logged: the driver is suspended before and after.
    if (state === 'open' && previous === 'closed') {
      const message = `cache ${operation} is suspended, images are rendered without it: ${reason?.message}`;
      logger.warn(fields, message);
    } else if (state === 'closed') {
      logger.info(fields, `cache ${operation} works again`);
    }
  }

  #asCacheError(thrown: unknown, operation: CacheOperation): CacheError {
    if (!isCacheError(thrown)) {
      return new CacheError(
        'ERR_CACHE_DRIVER_CONTRACT',
        `driver ${this.name} failed with something that is not a CacheError: report it to the driver's author`,
        { driver: this.name, operation, cause: thrown },
      );
    }
    if (thrown.driver !== undefined && thrown.operation !== undefined) return thrown;
    return new CacheError(thrown.code, thrown.message, {
      driver: thrown.driver ?? this.name,
      operation: thrown.operation ?? operation,
      retryable: thrown.retryable,
      cause: thrown.cause,
      ...(thrown.failedNames !== undefined && { failedNames: thrown.failedNames }),
    });
  }
}

/**
 * Whether an error does not count as a failure of the store: an aborted request, a corrupt or foreign object, or an entry
 * that the store does not support.
 */
export function isHarmless(code: CacheErrorCode, operation: CacheOperation): boolean {
  if (code === 'ERR_CACHE_ABORTED' || code === 'ERR_CACHE_CORRUPT') return true;
  return code === (operation === 'get' ? 'ERR_CACHE_UNSUPPORTED' : 'ERR_CACHE_TOO_LARGE');
}

/** The object of the prototype chain that defines a method. */
function ownerOf(driver: CacheDriver, method: 'get' | 'held'): object | undefined {
  for (let owner: object | null = driver; owner !== null; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, method)) return owner;
  }
  return undefined;
}

function errorOf({ findings }: DriverCheck): CacheError | undefined {
  return findings.find(({ level }) => level === 'error')?.error;
}
