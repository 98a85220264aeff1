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
import {
  type Admission,
  abortedError,
  type BreakerChange,
  type BreakerSettings,
  CircuitBreaker,
  CircuitOpenError,
  Deadline,
  type Logger,
} from '../policy/index.js';
import type { EventPublisher } from './cache-events.js';
import { DriverHealth, type TierHealth } from './driver-health.js';

/** Operations that a breaker guards. The others are asked for by people, who get the store's own answer. */
export type GuardedOperation = 'get' | 'put';

export interface OperationLimits {
  /** In seconds, for one look-up. */
  readonly lookupTimeout: number;
  /** In seconds, for one store, one batch of deletions, the next name of a list, or the check. */
  readonly storeTimeout: number;
  readonly breaker: BreakerSettings;
}

// An operation that takes this share of its time-out counts as a failure for its breaker.
const SLOW_SHARE = 0.5;

/**
 * The driver as the cache uses it: every operation has a deadline, look-ups and stores have a breaker each, every
 * failure is a `CacheError` that names driver and operation, and every end is an event.
 */
export class DriverOperations {
  readonly #driver: CacheDriver;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #events: EventPublisher;
  readonly #logger: Logger;
  readonly #lookups: Deadline;
  readonly #stores: Deadline;
  readonly #deletions: Deadline;
  readonly #lists: Deadline;
  readonly #checks: Deadline;
  readonly #reads: CircuitBreaker;
  readonly #writes: CircuitBreaker;
  readonly #slowAfter: Readonly<Record<GuardedOperation, number>>;
  readonly #health: DriverHealth;

  constructor(
    driver: CacheDriver,
    name: string,
    clock: Clock,
    events: EventPublisher,
    logger: Logger,
    { lookupTimeout, storeTimeout, breaker }: OperationLimits,
  ) {
    this.#driver = driver;
    this.#name = name;
    this.#clock = clock;
    this.#events = events;
    this.#logger = logger;
    this.#lookups = new Deadline(clock, 'get', lookupTimeout);
    this.#stores = new Deadline(clock, 'put', storeTimeout);
    this.#deletions = new Deadline(clock, 'delete', storeTimeout);
    this.#lists = new Deadline(clock, 'list', storeTimeout);
    this.#checks = new Deadline(clock, 'check', storeTimeout);
    this.#reads = new CircuitBreaker(breaker, (change) => this.#noteChange('get', change));
    this.#writes = new CircuitBreaker(breaker, (change) => this.#noteChange('put', change));
    this.#slowAfter = {
      get: lookupTimeout * 1000 * SLOW_SHARE,
      put: storeTimeout * 1000 * SLOW_SHARE,
    };
    this.#health = new DriverHealth(name, clock);
  }

  get health(): TierHealth {
    return this.#health.current;
  }

  /** Whether a look-up may begin. Who is told to probe looks up behind the request's back. */
  admitLookup(): Admission {
    return this.#reads.state === 'closed' ? 'pass' : this.#reads.admit(this.#clock.monotonic());
  }

  /** The failure that stands for operations that are refused now; `undefined` while they are not. */
  refusal(operation: GuardedOperation): CircuitOpenError | undefined {
    const breaker = operation === 'get' ? this.#reads : this.#writes;
    if (breaker.state === 'closed' || !breaker.refuses(this.#clock.monotonic())) return undefined;
    return this.#circuitOpen(operation, breaker);
  }

  /** Tells look-ups of different epochs apart; see {@link noteLateFailure}. */
  get lookupEpoch(): number {
    return this.#reads.epoch;
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
    const { epoch } = this.#reads;
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
      this.#succeed('get', started, bytes, epoch);
      return found;
    } catch (thrown) {
      throw this.#fail(thrown, 'get', started, epoch);
    }
  }

  /** @throws CircuitOpenError while stores are suspended */
  async put(name: string, entry: CacheEntry, signal: AbortSignal): Promise<void> {
    const started = this.#clock.monotonic();
    if (this.#writes.admit(started) === 'refuse') throw this.#circuitOpen('put', this.#writes);
    const { epoch } = this.#writes;
    try {
      await this.#stores.run((inner) => this.#driver.put(name, entry, { signal: inner }), undefined, signal);
      this.#succeed('put', started, entry.body.length, epoch);
    } catch (thrown) {
      throw this.#fail(thrown, 'put', started, epoch);
    }
  }

  delete(names: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#observe('delete', () =>
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
      throw this.#fail(thrown, 'list', this.#clock.monotonic() - duration);
    } finally {
      // A list that hangs answers late or never: nobody waits for it.
      names.return?.().then(undefined, () => undefined);
    }
    this.#succeed('list', this.#clock.monotonic() - duration, 0);
  }

  async check(): Promise<DriverCheck> {
    const check = await this.#observe('check', () =>
      this.#checks.run((signal) => this.#driver.check({ signal })),
    );
    const failure = check.findings.find((finding) => finding.level === 'error')?.error;
    if (failure !== undefined) this.#health.noteFailure('check', failure);
    return check;
  }

  close(): Promise<void> {
    return this.#observe('close', () => this.#driver.close());
  }

  /**
   * Notes a failure of a body that is being streamed.
   * @param started when the stream began, on the monotonic clock
   * @param epoch {@link lookupEpoch} at that time
   */
  noteLateFailure(thrown: unknown, started: number, epoch: number): CacheError {
    return this.#fail(thrown, 'get', started, epoch);
  }

  async #observe<T>(operation: CacheOperation, work: () => Promise<T>): Promise<T> {
    const started = this.#clock.monotonic();
    try {
      const result = await work();
      this.#succeed(operation, started, 0);
      return result;
    } catch (thrown) {
      throw this.#fail(thrown, operation, started);
    }
  }

  #succeed(operation: CacheOperation, started: number, bytes: number, epoch = 0): void {
    const now = this.#clock.monotonic();
    const duration = now - started;
    this.#events.publish('operation', { operation, duration, bytes });
    this.#health.noteSuccess();
    if (operation !== 'get' && operation !== 'put') return;
    const breaker = operation === 'get' ? this.#reads : this.#writes;
    if (duration < this.#slowAfter[operation]) breaker.succeed(epoch, now);
    else breaker.fail(epoch, now, this.#slow(operation, duration));
  }

  #fail(thrown: unknown, operation: CacheOperation, started: number, epoch = 0): CacheError {
    const error = this.#asCacheError(thrown, operation);
    const now = this.#clock.monotonic();
    const breaker = operation === 'get' ? this.#reads : operation === 'put' ? this.#writes : undefined;
    if (isNoFailure(error.code, operation)) {
      if (error.code === 'ERR_CACHE_ABORTED') breaker?.forget(epoch, now);
      else breaker?.succeed(epoch, now);
      return error;
    }
    this.#events.publish('operation', { operation, duration: now - started, bytes: 0, code: error.code });
    this.#health.noteFailure(operation, error);
    breaker?.fail(epoch, now, error);
    return error;
  }

  #noteChange(operation: GuardedOperation, { state, previous, reason }: BreakerChange): void {
    this.#events.publish('breaker', { operation, state, previous });
    this.#health.noteBreaker(operation, state, reason);
    const fields = { driver: this.#name, operation, ...(reason !== undefined && { code: reason.code }) };
    // Probes that fail change nothing for those who read the log.
    if (state === 'open' && previous === 'closed') {
      const message = `cache ${operation} is suspended, images are rendered without it: ${reason?.message}`;
      this.#logger.warn(fields, message);
    } else if (state === 'closed') {
      this.#logger.info(fields, `cache ${operation} works again`);
    }
  }

  #circuitOpen(operation: GuardedOperation, { reason }: CircuitBreaker): CircuitOpenError {
    return new CircuitOpenError(
      'ERR_CACHE_UNAVAILABLE',
      `${operation} is suspended after too many failures, the latest: ${reason?.message}`,
      { driver: this.#name, operation, retryable: true },
    );
  }

  #slow(operation: GuardedOperation, duration: number): CacheError {
    const seconds = (duration / 1000).toFixed(3);
    return new CacheError('ERR_CACHE_TIMEOUT', `${operation} took ${seconds} seconds`, {
      driver: this.#name,
      operation,
    });
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

// The store did what it should: a caller went away, it has something of somebody else's under the name, or it
// refused what it does not take.
function isNoFailure(code: CacheErrorCode, operation: CacheOperation): boolean {
  if (code === 'ERR_CACHE_ABORTED' || code === 'ERR_CACHE_CORRUPT') return true;
  return code === (operation === 'get' ? 'ERR_CACHE_UNSUPPORTED' : 'ERR_CACHE_TOO_LARGE');
}
