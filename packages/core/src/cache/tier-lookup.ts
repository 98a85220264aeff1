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

/** What a look-up in one tier found. */
export type TierFinding =
  | { readonly kind: 'bytes'; readonly metadata: EntryMetadata; readonly body: Uint8Array }
  | {
      readonly kind: 'stream';
      readonly metadata: EntryMetadata;
      readonly body: AsyncIterable<Uint8Array>;
      /** To be called once the body has ended or was given up. */
      readonly release: () => void;
    }
  | TierMiss;

export interface TierMiss {
  readonly kind: 'miss';
  readonly detail?: CacheStatusDetail;
  /** The failure behind it, where it is not certain that nothing is stored. */
  readonly error?: CacheError;
  /** Whether an image may be stored in its place. */
  readonly replaceable: boolean;
}

const MISS: TierMiss = { kind: 'miss', replaceable: true };
const EXPIRED: TierMiss = { kind: 'miss', detail: 'expired', replaceable: true };
const NEWER_FORMAT: TierMiss = { kind: 'miss', detail: 'newer-format', replaceable: false };

/** Looks entries up in one tier, and lets none through that is not whole, its own and of this time. */
export class TierLookup {
  readonly #operations: DriverOperations;
  readonly #clock: Clock;
  readonly #events: EventPublisher;
  readonly #budget: ByteBudget;
  readonly #verifyBytes: number;

  /** @param verifyBytes up to this size a body is read and verified before it is served */
  constructor(
    operations: DriverOperations,
    clock: Clock,
    events: EventPublisher,
    budget: ByteBudget,
    verifyBytes: number,
  ) {
    this.#operations = operations;
    this.#clock = clock;
    this.#events = events;
    this.#budget = budget;
    this.#verifyBytes = verifyBytes;
  }

  /** Never rejects: a failure is a miss that carries its error. */
  async find(name: string): Promise<TierFinding> {
    const admission = this.#operations.admitLookup();
    if (admission !== 'pass') return this.#suspended(name, admission === 'probe');
    try {
      const found = await this.#operations.lookup<TierFinding>(
        name,
        (entry, signal) => this.#read(name, entry, signal),
        discard,
      );
      return found ?? MISS;
    } catch (thrown) {
      return this.#missOf(name, thrown as CacheError);
    }
  }

  /** The probe is nobody's: the request that it comes with goes on at once. */
  #suspended(name: string, probe: boolean): TierMiss {
    const open = this.#operations.refusal('get');
    if (probe) {
      this.#operations
        .lookup(name, (entry) => entry.discard(), nothing)
        .catch((error: CacheError) => void this.#missOf(name, error));
    }
    return { kind: 'miss', detail: 'breaker-open', replaceable: false, ...(open && { error: open }) };
  }

  async #read(name: string, entry: StoredEntry, signal: AbortSignal): Promise<TierFinding> {
    const { metadata } = entry;
    try {
      verifyName(metadata, name);
    } catch (error) {
      await entry.discard();
      throw error;
    }
    if (metadata.expires !== undefined && metadata.expires <= this.#clock.now()) {
      await entry.discard();
      return EXPIRED;
    }
    if (metadata.size > this.#verifyBytes || !this.#budget.tryAcquire(metadata.size)) {
      return {
        kind: 'stream',
        metadata,
        body: this.#stream(name, entry, this.#operations.lookupEpoch),
        release: () => void entry[Symbol.asyncDispose](),
      };
    }
    try {
      return { kind: 'bytes', metadata, body: await readVerified(entry, { signal }) };
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

  #missOf(name: string, error: CacheError): TierMiss {
    switch (error.code) {
      case 'ERR_CACHE_CORRUPT':
        this.#events.publish('corrupt', { name, message: error.message });
        return { kind: 'miss', detail: error.code, replaceable: true };
      case 'ERR_CACHE_UNSUPPORTED':
        return NEWER_FORMAT;
      default:
        return { kind: 'miss', detail: error.code, error, replaceable: false };
    }
  }
}

function discard(late: TierFinding): void {
  if (late.kind === 'stream') late.release();
}

function nothing(): void {}
