import type { CacheEntry, CacheError, Clock } from '../driver/index.js';
import type { ByteBudget } from '../resilience/byte-budget.js';
import { CircuitOpenError } from '../resilience/circuit-breaker.js';
import type { FailureLog } from '../resilience/failure-log.js';
import type { Logger } from '../resilience/logger.js';
import { type StoreOutcome, StoreQueue } from '../resilience/store-queue.js';
import { EventPublisher } from './cache-events.js';
import { CacheStatus, type NotStoredReason } from './cache-status.js';
import { EntryLookup } from './entry-lookup.js';
import { GuardedDriver } from './guarded-driver.js';
import type { ImageCacheSettings, NamedDriver } from './image-cache-parts.js';
import type { LookedUpTier, Refusal } from './lookup.js';
import type { RenderingTime } from './rendering-time.js';

export interface TierParts {
  /** The cache, for its events. */
  readonly cache: object;
  /** The name that drivers' checks may use. */
  readonly reservedName: string;
  readonly settings: ImageCacheSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly budget: ByteBudget;
  readonly renderingTime: RenderingTime;
  readonly failures: FailureLog;
  /** Whether the cache has other tiers, so that a hit's status names this one. */
  readonly isOneOfSeveral: boolean;
  /** The longest time that the tier keeps an entry, in seconds. 0: until the entry expires. */
  readonly ttl: number;
}

/** One driver of a cache, with its own breakers, store queue and events. */
export class Tier implements LookedUpTier {
  readonly name: string;
  readonly driver: GuardedDriver;
  readonly queue: StoreQueue;
  /** The status of a hit in this tier. */
  readonly hit: CacheStatus;
  /** The status of a hit on an entry that is still waiting to be stored. */
  readonly pendingHit: CacheStatus;
  readonly lookup: EntryLookup;
  readonly #events: EventPublisher;
  readonly #failures: FailureLog;
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #maxEntryBytes: number;

  constructor({ driver, name, maxEntryBytes, reports }: NamedDriver, parts: TierParts) {
    const {
      cache,
      reservedName,
      settings,
      clock,
      logger,
      budget,
      failures,
      renderingTime,
      isOneOfSeveral,
      ttl,
    } = parts;
    this.name = name;
    this.#events = new EventPublisher(cache, name);
    this.#failures = failures;
    this.#clock = clock;
    this.#ttl = ttl;
    this.#maxEntryBytes = maxEntryBytes ?? Number.POSITIVE_INFINITY;
    const tier = isOneOfSeveral ? { tier: name } : {};
    this.hit = CacheStatus.of({ hit: true, ...tier });
    this.pendingHit = CacheStatus.of({ hit: true, detail: 'pending', ...tier });
    this.driver = new GuardedDriver({
      driver,
      name,
      clock,
      events: this.#events,
      logger,
      storeTimeout: settings.storeTimeoutSeconds,
      reservedName,
      breaker: {
        threshold: settings.breakerThreshold,
        windowSeconds: settings.breakerWindowSeconds,
        minOperations: settings.breakerMinOperations,
        retrySeconds: settings.breakerRetrySeconds,
        maxRetrySeconds: settings.breakerMaxRetrySeconds,
      },
    });
    this.lookup = new EntryLookup({
      tier: this,
      driver: this.driver,
      clock,
      events: this.#events,
      budget,
      renderingTime,
      timeoutSeconds: settings.lookupTimeoutSeconds,
      verifyBytes: settings.verifyBytes,
    });
    this.queue = new StoreQueue(
      {
        maxBytes: settings.queueMaxBytes,
        maxEntries: settings.queueMaxEntries,
        concurrency: settings.storeConcurrency,
      },
      clock,
      (entryName, entry, signal) =>
        this.driver.put(entryName, entry, signal).then(
          () => {
            this.lookup.noteStored(entryName);
            return undefined;
          },
          (error: CacheError) => error,
        ),
    );
    reports?.listen((event) => {
      this.#events.publish('driver', { event });
      logger[event.level]({ event: event.kind, driver: name }, event.message);
    });
  }

  /** The entry of this name that is waiting to be stored, unless it has expired. */
  pending(name: string): CacheEntry | undefined {
    const entry = this.queue.peek(name);
    const expires = entry?.metadata.expires;
    return expires === undefined || expires > this.#clock.now() ? entry : undefined;
  }

  /** Stores an entry in the background, and counts and logs the outcome. */
  store(entry: CacheEntry): Promise<StoreOutcome> | Refusal {
    const refusal = this.#refusal(entry);
    const settled = refusal ?? this.queue.add(entry.metadata.name, this.#limited(entry));
    if (settled instanceof Promise) return settled.then((outcome) => this.#note(outcome));
    const refused = settled ?? { reason: this.queue.closed ? 'closed' : 'queue-full' };
    this.#events.publish('notStored', { reason: refused.reason });
    return refused;
  }

  #refusal({ body }: CacheEntry): Refusal | undefined {
    if (body.length > this.#maxEntryBytes) return { reason: 'too-large' };
    const error = this.driver.refusesStores;
    return error && { reason: 'breaker-open', error };
  }

  #limited(entry: CacheEntry): CacheEntry {
    if (this.#ttl === 0) return entry;
    const { expires = Number.POSITIVE_INFINITY } = entry.metadata;
    const latest = this.#clock.now() + Math.ceil(this.#ttl * 1000);
    return { ...entry, metadata: { ...entry.metadata, expires: Math.min(expires, latest) } };
  }

  #note(outcome: StoreOutcome): StoreOutcome {
    if (outcome.stored) return outcome;
    const reason = notStoredReason(outcome);
    if (reason !== undefined) this.#events.publish('notStored', { reason });
    else if (outcome.reason === 'failed') {
      this.#failures.warn(outcome.error, 'the image is served and not stored');
    }
    return outcome;
  }
}

/** Why an entry was not stored, unless the driver failed. */
export function notStoredReason(
  outcome: Exclude<StoreOutcome, { readonly stored: true }>,
): NotStoredReason | undefined {
  if (outcome.reason === 'closed') return 'closed';
  if (outcome.reason !== 'failed') return 'invalidated';
  if (outcome.error instanceof CircuitOpenError) return 'breaker-open';
  return outcome.error.code === 'ERR_CACHE_TOO_LARGE' ? 'too-large' : undefined;
}
