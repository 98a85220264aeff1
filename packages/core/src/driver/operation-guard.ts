import { CacheError, type CacheErrorDetails, type CacheOperation } from './cache-error.js';

/** An operation that has not settled, as its work sees it. */
export interface RunningOperation {
  /**
   * Aborted with the operation's `CacheError` when the caller aborts or the driver closes before the work has settled.
   * Created at its first use.
   */
  readonly signal: AbortSignal;
}

/**
 * Ends a driver's operations: each one promptly when its caller aborts, and all of them when the driver closes. None
 * begins after that. The work behind an operation need not listen to its signal, but ends earlier if it does.
 *
 * @example
 * readonly #guard = new OperationGuard('foo');
 *
 * get(name: string, { signal }: OperationOptions = {}): Promise<StoredEntry | undefined> {
 *   return this.#guard.run('get', signal, (running) => this.#read(name, running.signal), (late) => void late?.discard());
 * }
 */
export class OperationGuard {
  readonly #driver: string;
  readonly #running = new Set<Running>();
  #closing: PromiseWithResolvers<void> | undefined;

  /** @param driver the driver's name, for errors */
  constructor(driver: string) {
    this.#driver = driver;
  }

  /**
   * Runs an operation.
   * @param caller the caller's signal
   * @param release receives the result of work that succeeds after its operation has ended
   * @throws CacheError `ERR_CACHE_CLOSED` or `ERR_CACHE_ABORTED`, or what `work` throws
   */
  run<T>(
    operation: CacheOperation,
    caller: AbortSignal | undefined,
    work: (running: RunningOperation) => Promise<T>,
    release?: (late: T) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.admit(operation, caller);
      const running = new Running({ driver: this.#driver, operation, caller, reject });
      this.#running.add(running);
      begin(work, running).then(
        (result) => {
          if (this.#settle(running)) resolve(result);
          else release?.(result);
        },
        (error: unknown) => {
          if (this.#settle(running)) reject(error);
        },
      );
    });
  }

  /**
   * Throws if an operation must not begin or go on: for operations that are synchronous, and between the steps of a `list`.
   * @param failedNames of a `delete`, for the error
   * @throws CacheError `ERR_CACHE_CLOSED` or `ERR_CACHE_ABORTED`
   */
  admit(operation: CacheOperation, caller: AbortSignal | undefined, failedNames?: readonly string[]): void {
    const details = { driver: this.#driver, ...(failedNames !== undefined && { failedNames }) };
    if (this.#closing !== undefined) throw closedError(operation, details);
    if (caller?.aborted) throw abortedError(operation, caller, details);
  }

  /**
   * Refuses new operations and aborts those that are running. Resolves when the work behind them has settled. Idempotent.
   */
  close(): Promise<void> {
    const idle = this.drain();
    const details = { driver: this.#driver };
    for (const running of this.#running) running.fail(closedError(running.operation, details));
    return idle;
  }

  /** Refuses new operations and resolves when those that are running have ended by themselves. Idempotent. */
  drain(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    if (this.#running.size === 0) this.#closing.resolve();
    return this.#closing.promise;
  }

  /** @returns whether the operation has not ended before */
  #settle(running: Running): boolean {
    this.#running.delete(running);
    if (this.#running.size === 0) this.#closing?.resolve();
    return running.end();
  }
}

interface RunningParts {
  /** The driver's name. */
  readonly driver: string;
  readonly operation: CacheOperation;
  readonly caller: AbortSignal | undefined;
  readonly reject: (error: CacheError) => void;
}

class Running implements RunningOperation {
  readonly operation: CacheOperation;
  readonly #driver: string;
  readonly #caller: AbortSignal | undefined;
  readonly #reject: (error: CacheError) => void;
  #controller: AbortController | undefined;
  #failure: CacheError | undefined;
  #ended = false;

  constructor({ driver, operation, caller, reject }: RunningParts) {
    this.#driver = driver;
    this.operation = operation;
    this.#caller = caller;
    this.#reject = reject;
    caller?.addEventListener('abort', this, { once: true });
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#failure !== undefined) this.#controller.abort(this.#failure);
    return this.#controller.signal;
  }

  handleEvent(): void {
    this.fail(abortedError(this.operation, this.#caller, { driver: this.#driver }));
  }

  fail(error: CacheError): void {
    if (!this.end()) return;
    this.#failure = error;
    this.#reject(error);
    this.#controller?.abort(error);
  }

  /** @returns whether it has not ended before */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#caller?.removeEventListener('abort', this);
    return true;
  }
}

/** The error of an operation whose caller has aborted. */
export function abortedError(
  operation: CacheOperation,
  signal: AbortSignal | undefined,
  details: CacheErrorDetails = {},
): CacheError {
  const message = `${operation} was aborted by the caller`;
  return new CacheError('ERR_CACHE_ABORTED', message, { ...details, operation, cause: signal?.reason });
}

function closedError(operation: CacheOperation, details: CacheErrorDetails): CacheError {
  const message = `cannot ${operation}: the ${details.driver} driver is closed`;
  return new CacheError('ERR_CACHE_CLOSED', message, { ...details, operation });
}

// Work that throws instead of rejecting must not leave its listener behind.
function begin<T>(work: (running: RunningOperation) => Promise<T>, running: RunningOperation): Promise<T> {
  try {
    return work(running);
  } catch (error) {
    return Promise.reject(error);
  }
}
