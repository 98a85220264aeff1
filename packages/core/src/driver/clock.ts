/** A timer that was set. Each of its methods does nothing after it has fired or was cancelled. */
export interface Timer {
  cancel(): void;
  /** Lets the process end before the timer fires. A clock that keeps no process alive need not have it. */
  unref?(): void;
  /** Takes `unref` back. */
  ref?(): void;
}

/**
 * The only source of time in the cache and its drivers, so that tests can stand it still.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch: for what is stored. */
  now(): number;
  /** Milliseconds that never go backwards, from an arbitrary origin: for durations. */
  monotonic(): number;
  /** Calls back once, after `delay` milliseconds. Until then the timer keeps the process alive, unless it is unref'ed. */
  setTimer(callback: () => void, delay: number): Timer;
}

/** The time of the machine. */
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
