import type { Clock } from '../driver/index.js';

const MAX_ENTRIES = 1000;
const FORGET_AFTER = 30_000;

/**
 * Names of entries whose bodies could not be read recently. For 30 seconds, or until they are stored again, requests render
 * them without another attempt to read them.
 */
export class UnreadableEntries {
  readonly #clock: Clock;
  /** Until when, on the monotonic clock. The oldest are first. */
  readonly #names = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(name: string): void {
    this.#names.delete(name);
    this.#names.set(name, this.#clock.monotonic() + FORGET_AFTER);
    if (this.#names.size <= MAX_ENTRIES) return;
    for (const oldest of this.#names.keys()) {
      this.#names.delete(oldest);
      return;
    }
  }

  has(name: string): boolean {
    if (this.#names.size === 0) return false;
    const until = this.#names.get(name);
    if (until === undefined) return false;
    if (this.#clock.monotonic() < until) return true;
    this.#names.delete(name);
    return false;
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
