import { type CacheEntry, type Clock, createEntry, encodeMetadata, isCacheError } from '../driver/index.js';
import type { ByteBudget, ErrorReporting, FailureLog, StoreOutcome, StoreQueue } from '../policy/index.js';
import type { EventPublisher } from './cache-events.js';
import type { CacheOutcome, NotStoredReason } from './cache-status.js';
import type { ImageDescription } from './rendering.js';

/** A rendered image that may be kept. */
export interface Candidate {
  readonly name: string;
  readonly description: ImageDescription;
  readonly body: Uint8Array;
  readonly tags: readonly string[] | undefined;
  /** Gives the bytes back to the budget, where they were acquired while they were collected. */
  readonly release?: (() => void) | undefined;
}

export interface StoreStepParts {
  readonly queue: StoreQueue;
  readonly budget: ByteBudget;
  readonly reporting: ErrorReporting;
  readonly failures: FailureLog;
  readonly events: EventPublisher;
  readonly clock: Clock;
  /** In bytes. */
  readonly maxEntrySize: number;
}

/** What storing adds to a request's outcome. */
type StoreStatus = Pick<CacheOutcome, 'stored' | 'detail'>;

/** Stores what was rendered: behind the back of the request, or before it is served where failures are reported. */
export class StoreStep {
  readonly #parts: StoreStepParts;

  constructor(parts: StoreStepParts) {
    this.#parts = parts;
  }

  /**
   * Stores an image if there is room for it.
   * @throws CacheError the store's failure, where the policy reports it
   */
  async keep(candidate: Candidate): Promise<StoreStatus> {
    const { budget, maxEntrySize, queue, reporting } = this.#parts;
    const size = candidate.body.length;
    if (size === 0) return this.skip('not-storable');
    if (size > maxEntrySize) return this.skip('too-large');
    const release = candidate.release ?? (budget.tryAcquire(size) ? () => budget.release(size) : undefined);
    if (release === undefined) return this.skip('bytes-in-flight');
    const entry = this.#entry(candidate);
    const settled = entry && queue.add(candidate.name, entry);
    if (settled === undefined) {
      release();
      return this.skip(entry === undefined ? 'metadata' : 'queue-full');
    }
    const noted = settled.then((outcome) => {
      release();
      this.#note(outcome);
      return outcome;
    });
    return reporting.storeBeforeServing ? this.#statusOf(await noted) : { detail: 'queued' };
  }

  /** Says why an image is not stored. */
  skip(reason: NotStoredReason): StoreStatus {
    this.#parts.events.publish('notStored', { reason });
    return { detail: reason };
  }

  #entry({ name, description, body, tags }: Candidate): CacheEntry | undefined {
    const entry = createEntry(
      { name, ...description, created: this.#parts.clock.now(), ...(tags !== undefined && { tags }) },
      body,
    );
    try {
      encodeMetadata(entry.metadata);
      return entry;
    } catch (error) {
      if (isCacheError(error)) return undefined;
      throw error;
    }
  }

  #note(outcome: StoreOutcome): void {
    if (outcome.stored) return;
    const { events, failures } = this.#parts;
    if (outcome.reason !== 'failed') {
      events.publish('notStored', { reason: outcome.reason === 'closed' ? 'closed' : 'invalidated' });
    } else if (outcome.error.code === 'ERR_CACHE_TOO_LARGE') {
      events.publish('notStored', { reason: 'too-large' });
    } else {
      failures.warn(outcome.error, 'the image is served and not stored');
    }
  }

  #statusOf(outcome: StoreOutcome): StoreStatus {
    if (outcome.stored) return { stored: true };
    if (outcome.reason !== 'failed')
      return { detail: outcome.reason === 'closed' ? 'closed' : 'invalidated' };
    if (outcome.error.code === 'ERR_CACHE_TOO_LARGE') return { detail: 'too-large' };
    if (this.#parts.reporting.reports(outcome.error, 'store')) throw outcome.error;
    return { detail: outcome.error.code };
  }
}
