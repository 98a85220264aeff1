import type { Clock, Timer } from '@imgproxy-cache/core/driver';

interface Pending {
  readonly at: number;
  callback(): void;
}

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #time = 1_800_000_000_000;
  readonly #timers = new Set<Pending>();

  /** How many timers have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  setTimer(callback: () => void, delay: number): Timer {
    const timer = { at: this.#time + delay, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves on by so many milliseconds, and fires what is due by then. */
  advance(milliseconds: number): void {
    this.#time += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#time) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
