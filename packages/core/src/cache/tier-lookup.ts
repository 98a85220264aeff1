import {
  type CacheError,
  type Clock,
  type EntryMetadata,
  readVerified,
  type StoredEntry,
  streamVerified,
  verifyName,
} from '../driver/index.js';
import type { ByteBudget } from '../policy/index.js';
import type { EventPublisher } from './cache-events.js';
import type { CacheStatusDetail } from './cache-status.js';
import type { DriverOperations } from './driver-operations.js';

/** What a look-up in tiers found. */
export type LookupIn<Tier> =
  | (Found<Tier> & { readonly kind: 'bytes'; readonly body: Uint8Array })
  | (Found<Tier> & {
      readonly kind: 'stream';
      readonly body: AsyncIterable<Uint8Array>;
      /** To be called once the body has ended or was given up. */
      readonly release: () => void;
    })
  | ({ readonly kind: 'miss' } & MissedIn<Tier>);

interface Found<Tier> {
  readonly metadata: EntryMetadata;
  /** Where it was found. */
  readonly tier: Tier;
  /** Earlier tiers that certainly do not have it. */
  readonly lacking: readonly Tier[];
}

/** What a look-up says that found nothing. */
export interface MissedIn<Tier> {
  readonly detail?: CacheStatusDetail | undefined;
  /** The first failure, where it is not certain that nothing is stored. */
  readonly error?: CacheError | undefined;
  /** Tiers in which what is rendered now may be stored. */
  readonly lacking: readonly Tier[];
}

type Miss<Tier> = Extract<LookupIn<Tier>, { kind: 'miss' }>;

const NO_TIERS: readonly never[] = [];
const NEWER_FORMAT: Miss<never> = { kind: 'miss', detail: 'newer-format', lacking: NO_TIERS };

/** Looks entries up in one tier, and lets none through that is not whole, its own and of this time. */
export class TierLookup<Tier> {
  readonly #tier: Tier;
  readonly #operations: DriverOperations;
  readonly #clock: Clock;
  readonly #events: EventPublisher;
  readonly #budget: ByteBudget;
  readonly #verifyBytes: number;
  readonly #miss: Miss<Tier>;
  readonly #expired: Miss<Tier>;

  /** @param verifyBytes up to this size a body is read and verified before it is served */
  constructor(
    tier: Tier,
    operations: DriverOperations,
    clock: Clock,
    events: EventPublisher,
    budget: ByteBudget,
    verifyBytes: number,
  ) {
    this.#tier = tier;
    this.#miss = { kind: 'miss', lacking: [tier] };
    this.#expired = { kind: 'miss', detail: 'expired', lacking: [tier] };
    this.#operations = operations;
    this.#clock = clock;
    this.#events = events;
    this.#budget = budget;
    this.#verifyBytes = verifyBytes;
  }

  /** Never rejects: a failure is a miss that carries its error. */
  async find(name: string): Promise<LookupIn<Tier>> {
    const admission = this.#operations.admitLookup();
    if (admission !== 'pass') return this.#suspended(name, admission === 'probe');
    try {
      const found = await this.#operations.lookup<LookupIn<Tier>>(
        name,
        (entry, signal) => this.#read(name, entry, signal),
        discard,
      );
      return found ?? this.#miss;
    } catch (thrown) {
      return this.#missOf(name, thrown as CacheError);
    }
  }

  /** The probe is nobody's: the request that it comes with goes on at once. */
  #suspended(name: string, probe: boolean): Miss<Tier> {
    const open = this.#operations.refusal('get');
    if (probe) {
      this.#operations
        .lookup(name, (entry) => entry.discard(), nothing)
        .catch((error: CacheError) => void this.#missOf(name, error));
    }
    return { kind: 'miss', detail: 'breaker-open', error: open, lacking: NO_TIERS };
  }

  async #read(name: string, entry: StoredEntry, signal: AbortSignal): Promise<LookupIn<Tier>> {
    const { metadata } = entry;
    try {
      verifyName(metadata, name);
    } catch (error) {
      await entry.discard();
      throw error;
    }
    if (metadata.expires !== undefined && metadata.expires <= this.#clock.now()) {
      await entry.discard();
      return this.#expired;
    }
    if (metadata.size > this.#verifyBytes || !this.#budget.tryAcquire(metadata.size)) {
      return {
        kind: 'stream',
        tier: this.#tier,
        lacking: NO_TIERS,
        metadata,
        body: this.#stream(name, entry, this.#operations.lookupEpoch),
        release: () => void entry[Symbol.asyncDispose](),
      };
    }
    try {
      const body = await readVerified(entry, { signal });
      return { kind: 'bytes', tier: this.#tier, lacking: NO_TIERS, metadata, body };
    } finally {
      this.#budget.release(metadata.size);
    }
  }

  async *#stream(
    name: string,
    entry: StoredEntry,
    epoch: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const started = this.#clock.monotonic();
    try {
      yield* streamVerified(entry);
    } catch (thrown) {
      const error = this.#operations.noteLateFailure(thrown, started, epoch);
      if (error.code === 'ERR_CACHE_CORRUPT') {
        this.#events.publish('corrupt', { name, message: error.message });
        // Too late to render instead; removed, it is a miss for the next request and then replaced.
        this.#operations.delete([name]).catch(nothing);
      }
      throw error;
    }
  }

  #missOf(name: string, error: CacheError): Miss<Tier> {
    switch (error.code) {
      case 'ERR_CACHE_CORRUPT':
        this.#events.publish('corrupt', { name, message: error.message });
        return { kind: 'miss', detail: error.code, lacking: [this.#tier] };
      case 'ERR_CACHE_UNSUPPORTED':
        return NEWER_FORMAT;
      default:
        return { kind: 'miss', detail: error.code, error, lacking: NO_TIERS };
    }
  }
}

function discard(late: LookupIn<unknown>): void {
  if (late.kind === 'stream') late.release();
}

function nothing(): void {}
