import { isCacheError } from '@imgproxy-cache/core/driver';
import { Findings } from '../findings.js';
import type { SeededRandom } from '../seeded-random.js';
import { Tally } from '../tally.js';
import type { Images } from './images.js';
import type { Version } from './journal.js';
import { HungOperation, withPatience } from './patience.js';

/** A source of operations. */
export interface Traffic {
  /** Does one operation. Never rejects: how it ends is recorded. */
  perform(random: SeededRandom, signal: AbortSignal | undefined): Promise<void>;
}

/** What became of all operations. */
export class TrafficRecord {
  readonly images: Images;
  readonly outcomes = new Tally();
  readonly wrongBytes = new Findings();
  readonly hung = new Findings();
  /** Failures that are neither CacheErrors nor hung operations. */
  readonly strangeFailures = new Findings();
  issued = 0;
  /** Bodies that were delivered as good. */
  delivered = 0;

  readonly #patience: number;

  /** @param patience how long is waited for an operation, in milliseconds */
  constructor(images: Images, patience: number) {
    this.images = images;
    this.#patience = patience;
  }

  /** Waits for an operation and counts how it ends: as it says itself, or by its code. */
  async outcomeOf(
    operation: string,
    signal: AbortSignal | undefined,
    work: () => Promise<string>,
  ): Promise<void> {
    this.issued += 1;
    try {
      this.outcomes.add(operation, await withPatience(work(), this.#patience));
    } catch (error) {
      if (error instanceof HungOperation) {
        this.outcomes.add(operation, 'hung');
        this.hung.add(`a ${operation} did not end`);
      } else if (isCacheError(error)) {
        this.outcomes.add(operation, error.code);
        if (error.code === 'ERR_CACHE_ABORTED' && signal?.aborted !== true) {
          this.strangeFailures.add(`a ${operation} was aborted that nobody had aborted`);
        }
      } else {
        this.outcomes.add(operation, 'no CacheError');
        this.strangeFailures.add(`a ${operation} failed with ${String(error).slice(0, 200)}`);
      }
    }
  }

  /** Takes a body that has passed all checks. */
  deliver(version: Version, bytes: Uint8Array, story: string): void {
    this.delivered += 1;
    if (this.images.isBodyOf(version, bytes)) return;
    this.wrongBytes.add(`${story} delivered ${bytes.length} bytes that are not those of version ${version}`);
  }
}
