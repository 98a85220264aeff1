import type { Clock, Timer } from '@imgproxy-cache/core/driver';

/** A clock that knows how many of its timers have neither fired nor been cancelled. */
export class WatchedClock implements Clock {
  readonly #clock: Clock;
  #pending = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pending(): number {
    return this.#pending;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(callback: () => void, delay: number): Timer {
    let over = false;
    const end = (): void => {
      if (!over) this.#pending -= 1;
      over = true;
    };
    this.#pending += 1;
    const timer = this.#clock.setTimer(() => {
      end();
      callback();
    }, delay);
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }
}
