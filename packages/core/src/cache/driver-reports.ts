import type { DriverEvent } from '../driver/index.js';

/**
 * Carries a driver's events to the cache, which is made after the driver: what comes before waits.
 */
export class DriverReports {
  #listener: ((event: DriverEvent) => void) | undefined;
  #early: DriverEvent[] = [];

  report(event: DriverEvent): void {
    if (this.#listener === undefined) this.#early.push(event);
    else this.#listener(event);
  }

  listen(listener: (event: DriverEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#early) listener(event);
    this.#early = [];
  }
}
