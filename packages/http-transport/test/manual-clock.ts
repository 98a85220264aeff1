import type { TransportClock } from '@imgproxy-cache/http-transport';

/** The real time, which a test can move ahead: timers that are due then fire at once. */
export class ManualClock implements TransportClock {
  #ahead = 0;
  readonly #timers = new Set<{ readonly callback: () => void; readonly due: number }>();

  monotonic(): number {
    return performance.now() + this.#ahead;
  }

  setTimer(callback: () => void, delay: number): { cancel(): void } {
    const timer = { callback, due: this.monotonic() + delay };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Timers that were set and have neither fired nor been cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.due > this.monotonic()) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
