/** Where the transport gets its time from, so that tests can stand it still. */
export interface TransportClock {
  /** Milliseconds that never go backwards, from an arbitrary origin. */
  monotonic(): number;
  /** Calls back once, after `delay` milliseconds. The timer does not keep the process alive. */
  setTimer(callback: () => void, delay: number): { cancel(): void };
}

/** The time of the machine. */
export const machineClock: TransportClock = {
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timeout = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
