import type { Clock, Timer } from '@imgproxy-cache/core/driver';

/** A clock that goes on only when it is told to. It begins now, since files bear the system's time. */
export class SteerableClock implements Clock {
  #elapsed = 0;
  readonly #began: number;
  readonly #timers = new Map<Timer, { readonly due: number; readonly callback: () => void }>();

  constructor(began: number = Date.now()) {
    this.#began = began;
  }

  now(): number {
    return this.#began + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(callback: () => void, delay: number): Timer {
    const timer = { cancel: () => void this.#timers.delete(timer) };
    this.#timers.set(timer, { due: this.#elapsed + delay, callback });
    return timer;
  }

  /** Goes on by some milliseconds, and calls back whatever is due then. */
  advance(milliseconds: number): void {
    this.#elapsed += milliseconds;
    for (const [timer, { due, callback }] of [...this.#timers]) {
      if (due > this.#elapsed) continue;
      this.#timers.delete(timer);
      callback();
    }
  }
}
