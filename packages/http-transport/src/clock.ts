/** Where the transport gets its time from, so that tests can stand it still. */
export interface TransportClock {
  /** Milliseconds that never go backwards, from an arbitrary origin. */
  monotonic(): number;
  /**
   * Calls back once, after `delay` milliseconds. A request or a body waits for it, so it keeps the process alive until
   * it fires or is cancelled.
   */
  setTimer(callback: () => void, delay: number): { cancel(): void };
}

/** The time of the machine. */
export const machineClock: TransportClock = {
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timeout = setTimeout(callback, delay);
    return { cancel: () => clearTimeout(timeout) };
  },
};
