/** A timer. Once it has fired or been cancelled, its methods have no effect. */
export interface Timer {
  cancel(): void;
  /** Lets the process exit before the timer fires. A clock whose timers never keep the process alive may omit it. */
  unref?(): void;
  /** Undoes `unref`. */
  ref?(): void;
}

/** The only source of time in the cache and its drivers, so that tests can control it. */
export interface Clock {
  /** Milliseconds since the Unix epoch, for stored times. */
  now(): number;
  /** Milliseconds from an arbitrary origin that never go backwards, for durations. */
  monotonic(): number;
  /** Calls `callback` once, after `delay` milliseconds. Until then the timer keeps the process alive, unless it is unref'ed. */
  setTimer(callback: () => void, delay: number): Timer;
}

/** The system's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timeout = setTimeout(callback, delay);
    return {
      cancel: () => clearTimeout(timeout),
      unref: () => void timeout.unref(),
      ref: () => void timeout.ref(),
    };
  },
};
