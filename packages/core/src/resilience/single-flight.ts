import { abortedError } from '../driver/operation-guard.js';

/**
 * Work that several callers share. Any caller may abort, also the first one, and the others still get the result. The
 * work itself is aborted only when all callers have aborted.
 */
export class Flight<Result> {
  readonly name: string;
  readonly #onEnd: (flight: Flight<Result>) => void;
  #shared: PromiseWithResolvers<Result> | undefined;
  #callers = 0;
  #ownerLeft = false;
  #controller: AbortController | undefined;
  #settled = false;
  #abandoned = false;
  #invalidated = false;

  constructor(name: string, onEnd: (flight: Flight<Result>) => void) {
    this.name = name;
    this.#onEnd = onEnd;
  }

  /** Aborted once every caller has aborted. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abandoned) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Whether every caller has aborted. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** Whether its result must not be stored: the entry was deleted meanwhile, or no caller is left. */
  get invalidated(): boolean {
    return this.#invalidated;
  }

  /** Ends the flight with a result for all who wait, and lets the next flight of this name begin. */
  settle(result: Result): void {
    this.#settled = true;
    this.#onEnd(this);
    this.#shared?.resolve(result);
  }

  /** Ends the flight with an error for all who wait. */
  fail(error: unknown): void {
    this.#settled = true;
    this.#onEnd(this);
    this.#shared?.reject(error);
  }

  /**
   * Takes the flight out of the table: later callers begin a new one, and the result is not stored. Used when the entry
   * is deleted meanwhile, and when the flight takes too long.
   */
  invalidate(): void {
    this.#invalidated = true;
    this.#onEnd(this);
  }

  /** Adds a caller, who gets the shared result. */
  wait(signal: AbortSignal | undefined): Promise<Result> {
    if (this.#shared === undefined) {
      this.#shared = Promise.withResolvers<Result>();
      // A failure must not become an unhandled rejection when all callers have aborted.
      this.#shared.promise.catch(() => undefined);
    }
    return this.#count(this.#shared.promise, signal, () => this.#leave());
  }

  /**
   * Adds the owner: the caller that does the work and waits for a result of its own.
   * @param release receives a result that arrives after the caller has aborted
   * @throws CacheError `ERR_CACHE_ABORTED` as soon as the caller's signal is aborted
   */
  join<T>(own: Promise<T>, signal: AbortSignal | undefined, release?: (late: T) => void): Promise<T> {
    return this.#count(own, signal, () => this.leave(), release);
  }

  /**
   * Removes the owner. Idempotent: its request may abort, and the image it waited for may be discarded as well.
   */
  leave(): void {
    if (this.#ownerLeft) return;
    this.#ownerLeft = true;
    this.#leave();
  }

  #count<T>(
    own: Promise<T>,
    signal: AbortSignal | undefined,
    leave: () => void,
    release?: (late: T) => void,
  ): Promise<T> {
    this.#callers++;
    if (signal === undefined) return own;
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        reject(abortedError('fetch', signal));
        leave();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      own
        .then((result) => {
          if (signal.aborted) release?.(result);
          else resolve(result);
        }, reject)
        .finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  /** Removes a caller. Without effect once the flight has settled. */
  #leave(): void {
    this.#callers--;
    if (this.#callers > 0 || this.#settled) return;
    this.#abandoned = true;
    this.invalidate();
    this.#controller?.abort(abortedError('fetch', undefined));
  }
}

/** All flights of a cache. At most one per name can be joined. */
export class FlightTable<Result> {
  readonly #joinable = new Map<string, Flight<Result>>();
  readonly #alone = new Set<Flight<Result>>();

  /** Number of pending flights. */
  get size(): number {
    return this.#joinable.size + this.#alone.size;
  }

  /** The flight of this name that can be joined. */
  get(name: string): Flight<Result> | undefined {
    return this.#joinable.get(name);
  }

  /** Begins a flight that others can join. There must be none of this name. */
  begin(name: string): Flight<Result> {
    const flight = new Flight<Result>(name, this.#end);
    this.#joinable.set(name, flight);
    return flight;
  }

  /** Begins a flight that others cannot join. */
  beginAlone(name: string): Flight<Result> {
    const flight = new Flight<Result>(name, this.#endAlone);
    this.#alone.add(flight);
    return flight;
  }

  /** Invalidates the flights whose names match. */
  invalidate(matches: (name: string) => boolean): void {
    for (const flight of [...this.#joinable.values(), ...this.#alone]) {
      if (matches(flight.name)) flight.invalidate();
    }
  }

  readonly #end = (flight: Flight<Result>): void => {
    // After an invalidation, a newer flight may have this name.
    if (this.#joinable.get(flight.name) === flight) this.#joinable.delete(flight.name);
  };

  readonly #endAlone = (flight: Flight<Result>): void => {
    this.#alone.delete(flight);
  };
}
