import diagnostics from 'node:diagnostics_channel';
import type { CacheEvents } from '@imgproxy-cache/core';

/** Knows whether a cache's look-ups or stores are suspended, from what it tells on its channel. */
export class SuspendedOperations {
  readonly #suspended = {
    get: new Set<string>(),
    read: new Set<string>(),
    stream: new Set<string>(),
    put: new Set<string>(),
  };

  constructor() {
    diagnostics.subscribe('imgproxy-cache:breaker', (message) => {
      const { driver, operation, state } = message as CacheEvents['imgproxy-cache:breaker'];
      if (state === 'closed') this.#suspended[operation].delete(driver);
      else this.#suspended[operation].add(driver);
    });
  }

  /** Whether a driver's look-ups are suspended. */
  get lookups(): boolean {
    const { get, read, stream } = this.#suspended;
    return get.size + read.size + stream.size > 0;
  }

  /** Whether a driver's stores are suspended. */
  get stores(): boolean {
    return this.#suspended.put.size > 0;
  }
}
