/** The transport's source of time, which tests can control. */
export interface TransportClock {
  /** Milliseconds that never go backwards, from an arbitrary origin. */
  monotonic(): number;
  /**
   * Calls back once, after `delay` milliseconds. It keeps the process alive until it fires or is cancelled, since a
   * request or a body waits for it.
   */
  setTimer(callback: () => void, delay: number): { cancel(): void };
}

/** The machine's time. */
export const machineClock: TransportClock = {
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timeout = setTimeout(callback, delay);
    return { cancel: () => clearTimeout(timeout) };
  },
};
