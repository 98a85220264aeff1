import type { Clock, Timer } from '@imgproxy-cache/core/driver';

export interface ManualClockOptions {
  /** The initial `now()`, in milliseconds since the Unix epoch. Default: the current time. */
  readonly now?: number;
  /**
   * Whether real time passes as well, for tests with real sockets. Timers still fire only in `advance`. Default:
   * false.
   */
  readonly ticking?: boolean;
}

/**
 * A clock that a test advances. `monotonic()` begins at 0. Timers fire during {@link ManualClock.advance}, in the order
 * in which they are due, including those that are set meanwhile.
 *
 * @example
 * const clock = new ManualClock();
 * container.rebind(CACHE.Clock).toConstantValue(clock);
 * clock.advance(60_000);
 */
export class ManualClock implements Clock {
  readonly #began: number;
  readonly #origin: number | undefined;
  readonly #timers = new Map<Timer, { readonly due: number; readonly callback: () => void }>();
  #elapsed = 0;

  constructor({ now = Date.now(), ticking = false }: ManualClockOptions = {}) {
    this.#began = now;
    this.#origin = ticking ? performance.now() : undefined;
  }

  now(): number {
    return this.#began + Math.floor(this.monotonic());
  }

  monotonic(): number {
    return this.#elapsed + (this.#origin === undefined ? 0 : performance.now() - this.#origin);
  }

  setTimer(callback: () => void, delay: number): Timer {
    const timer = { cancel: () => void this.#timers.delete(timer) };
    this.#timers.set(timer, { due: this.monotonic() + delay, callback });
    return timer;
  }

  /** How many timers have neither fired nor been cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Advances by so many milliseconds, and fires the timers that are due by then. */
  advance(milliseconds: number): void {
    const end = this.#elapsed + milliseconds;
    const passed = this.monotonic() - this.#elapsed;
    for (let next = this.#firstDue(end + passed); next !== undefined; next = this.#firstDue(end + passed)) {
      const [timer, { due, callback }] = next;
      this.#timers.delete(timer);
      // The callback sees the time at which the timer was due.
      this.#elapsed = Math.max(this.#elapsed, due - passed);
      callback();
    }
    this.#elapsed = end;
  }

  #firstDue(end: number) {
    let first: [Timer, { readonly due: number; readonly callback: () => void }] | undefined;
    for (const timer of this.#timers) {
      if (timer[1].due <= end && (first === undefined || timer[1].due < first[1].due)) first = timer;
    }
    return first;
  }
}
