/** A timer that was set and may be cancelled. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time in the cache and its drivers, so that tests can stand it still.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch: for what is stored. */
  now(): number;
  /** Milliseconds that never go backwards, from an arbitrary origin: for durations. */
  monotonic(): number;
  /** Calls back once, after `delay` milliseconds. A timer never keeps the process alive. */
  setTimer(callback: () => void, delay: number): Timer;
}

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timeout = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
