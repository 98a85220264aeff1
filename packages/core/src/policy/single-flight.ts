import { abortedError } from './deadline.js';

/**
 * One piece of work that several callers wait for. It belongs to none of them: the one who came first may go
 * away and the others still get the result. Only when all have gone is the work itself aborted.
 */
export class Flight<Result> {
  readonly name: string;
  readonly #onEnd: (flight: Flight<Result>) => void;
  #shared: PromiseWithResolvers<Result> | undefined;
  #callers = 0;
  #ownerLeft = false;
  #controller: AbortController | undefined;
  #landed = false;
  #abandoned = false;
  #invalidated = false;

  constructor(name: string, onEnd: (flight: Flight<Result>) => void) {
    this.name = name;
    this.#onEnd = onEnd;
  }

  /** Aborted once every caller has gone away. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abandoned) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Whether every caller has gone away. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** Whether its result must not be stored: what it works on was deleted meanwhile, or nobody waits for it. */
  get invalidated(): boolean {
    return this.#invalidated;
  }

  /** Ends the flight: gives the result to those who wait for it and makes room for the next flight. */
  land(result: Result): void {
    this.#landed = true;
    this.#onEnd(this);
    this.#shared?.resolve(result);
  }

  /** Ends the flight with an error that all callers get. */
  fail(error: unknown): void {
    this.#landed = true;
    this.#onEnd(this);
    this.#shared?.reject(error);
  }

  /**
   * Takes the flight out of the table: who comes later starts anew, and the result is not stored. For what was
   * deleted meanwhile, and for a flight that takes too long.
   */
  invalidate(): void {
    this.#invalidated = true;
    this.#onEnd(this);
  }

  /** Adds a caller who gets the shared result. */
  wait(signal: AbortSignal | undefined): Promise<Result> {
    if (this.#shared === undefined) {
      this.#shared = Promise.withResolvers<Result>();
      // A failure that nobody waits for any more is no unhandled rejection.
      this.#shared.promise.catch(() => undefined);
    }
    return this.#count(this.#shared.promise, signal, () => this.#leave());
  }

  /**
   * Adds the one who does the work, and waits for something of his own.
   * @param release takes what comes after the caller has gone
   * @throws CacheError `ERR_CACHE_ABORTED` as soon as the caller's signal is aborted
   */
  join<T>(own: Promise<T>, signal: AbortSignal | undefined, release?: (late: T) => void): Promise<T> {
    return this.#count(own, signal, () => this.leave(), release);
  }

  /**
   * Counts out the one who does the work: once, though he may hang up and what he waited for be given up besides.
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

  /** Counts a caller out. Who leaves after the landing changes nothing. */
  #leave(): void {
    this.#callers--;
    if (this.#callers > 0 || this.#landed) return;
    this.#abandoned = true;
    this.invalidate();
    this.#controller?.abort(abortedError('fetch', undefined));
  }
}

/** All flights of a cache. Those that others may join are at most one a name. */
export class FlightTable<Result> {
  readonly #joinable = new Map<string, Flight<Result>>();
  readonly #alone = new Set<Flight<Result>>();

  /** Number of flights under way. */
  get size(): number {
    return this.#joinable.size + this.#alone.size;
  }

  /** The flight of this name that one may join. */
  get(name: string): Flight<Result> | undefined {
    return this.#joinable.get(name);
  }

  /** Begins a flight that others may join; there must be none of this name. */
  begin(name: string): Flight<Result> {
    const flight = new Flight<Result>(name, this.#end);
    this.#joinable.set(name, flight);
    return flight;
  }

  /** Begins a flight that nobody else joins. */
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
    // A flight that was taken out early may have a successor of its name.
    if (this.#joinable.get(flight.name) === flight) this.#joinable.delete(flight.name);
  };

  readonly #endAlone = (flight: Flight<Result>): void => {
    this.#alone.delete(flight);
  };
}
