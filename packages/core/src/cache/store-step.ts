import { type CacheEntry, type Clock, createEntry, isCacheError } from '../driver/index.js';
import { encodeAhead } from '../driver/metadata-codec.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import type { ErrorReporting } from '../resilience/error-reporting.js';
import type { StoreOutcome } from '../resilience/store-queue.js';
import type { EventPublisher } from './cache-events.js';
import type { CacheOutcome, NotStoredReason } from './cache-status.js';
import type { LookedUpTier, Refusal } from './lookup.js';
import type { ImageDescription } from './rendering.js';
import { notStoredReason } from './tier.js';

/** A rendered image to store. */
export interface Candidate {
  readonly name: string;
  readonly description: ImageDescription;
  readonly body: Uint8Array;
  readonly keep: KeepOptions;
  /** Releases the bytes to the budget, if they were acquired during collection. */
  readonly release?: (() => void) | undefined;
}

/** How to store the image of a request. */
export interface KeepOptions {
  /** Media types that the request accepts. Absent: any. */
  readonly accepts: readonly string[] | undefined;
  readonly tags: readonly string[] | undefined;
  /** In seconds; 0: for ever. */
  readonly ttl: number;
}

export interface StoreStepParts {
  readonly budget: ByteBudget;
  readonly reporting: ErrorReporting;
  readonly events: EventPublisher;
  readonly clock: Clock;
  /** In bytes. */
  readonly maxEntrySize: number;
}

/** The part of a request's outcome that storing decides. */
type StoreStatus = Pick<CacheOutcome, 'stored' | 'detail'>;

// The latest time that Date can represent.
const LATEST = 8_640_000_000_000_000;

/** Stores renderings: in the background, or before serving if the policy says so. */
export class StoreStep {
  readonly #parts: StoreStepParts;

  constructor(parts: StoreStepParts) {
    this.#parts = parts;
  }

  /**
   * Stores an image in these tiers, within the limits of bytes and queues.
   * @throws CacheError a store's failure, if the policy reports it
   */
  async keep(candidate: Candidate, tiers: readonly LookedUpTier[]): Promise<StoreStatus> {
    const { budget, maxEntrySize, reporting } = this.#parts;
    const size = candidate.body.length;
    if (size === 0) return this.skip('not-storable');
    if (size > maxEntrySize) return this.skip('too-large');
    const release = candidate.release ?? (budget.tryAcquire(size) ? () => budget.release(size) : undefined);
    if (release === undefined) return this.skip('bytes-in-flight');
    const entry = this.#entry(candidate);
    if (entry === undefined) {
      release();
      return this.skip('metadata');
    }
    const attempts = tiers.map((tier) => tier.store(entry));
    const settled = Promise.all(attempts).finally(release);
    if (reporting.storeBeforeServing) return this.#statusOf(await settled);
    const refusals = attempts.filter((attempt): attempt is Refusal => !(attempt instanceof Promise));
    return { detail: refusals.length < attempts.length ? 'queued' : refusals[0]?.reason };
  }

  /** Publishes why an image is not stored in any tier. */
  skip(reason: NotStoredReason): StoreStatus {
    this.#parts.events.publish('notStored', { reason });
    return { detail: reason };
  }

  #entry({ name, description, body, keep: { tags, ttl } }: Candidate): CacheEntry | undefined {
    const created = this.#parts.clock.now();
    const expires = ttl > 0 ? Math.min(created + Math.ceil(ttl * 1000), LATEST) : undefined;
    const entry = createEntry(
      {
        name,
        ...description,
        created,
        ...(expires !== undefined && { expires }),
        ...(tags !== undefined && { tags }),
      },
      body,
    );
    try {
      encodeAhead(entry.metadata);
      return entry;
    } catch (error) {
      if (isCacheError(error)) return undefined;
      throw error;
    }
  }

  #statusOf(outcomes: readonly (StoreOutcome | Refusal)[]): StoreStatus {
    let stored = false;
    let detail: CacheOutcome['detail'];
    for (const outcome of outcomes) {
      if ('stored' in outcome && outcome.stored) {
        stored = true;
        continue;
      }
      const { error } = { error: undefined, ...outcome };
      const reason = 'stored' in outcome ? notStoredReason(outcome) : outcome.reason;
      const isFailure = error !== undefined && reason !== 'too-large';
      if (isFailure && this.#parts.reporting.shouldThrow(error, 'store')) throw error;
      detail ??= reason ?? error?.code;
    }
    return stored ? { stored } : { ...(detail !== undefined && { detail }) };
  }
}
