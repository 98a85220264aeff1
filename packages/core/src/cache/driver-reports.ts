import type { DriverEvent } from '../driver/index.js';

/** Passes a driver's events to the cache. The cache is created after the driver, so earlier events are kept for it. */
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
