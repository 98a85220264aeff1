import diagnostics from 'node:diagnostics_channel';
import type { CacheEvents } from '@imgproxy-cache/core';
import { Tally } from '../tally.js';

/** Counts what a cache tells of itself on its channels. */
export class CacheEventTally {
  readonly operations = new Tally();
  requests = 0;
  corrupt = 0;

  readonly #onRequest = (): void => {
    this.requests += 1;
  };
  readonly #onCorrupt = (): void => {
    this.corrupt += 1;
  };
  readonly #onOperation = (message: unknown): void => {
    const { operation, code } = message as CacheEvents['imgproxy-cache:operation'];
    this.operations.add(operation, code ?? 'done');
  };

  subscribe(): void {
    diagnostics.subscribe('imgproxy-cache:request', this.#onRequest);
    diagnostics.subscribe('imgproxy-cache:corrupt', this.#onCorrupt);
    diagnostics.subscribe('imgproxy-cache:operation', this.#onOperation);
  }

  unsubscribe(): void {
    diagnostics.unsubscribe('imgproxy-cache:request', this.#onRequest);
    diagnostics.unsubscribe('imgproxy-cache:corrupt', this.#onCorrupt);
    diagnostics.unsubscribe('imgproxy-cache:operation', this.#onOperation);
  }
}
