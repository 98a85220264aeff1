import type { CacheEntry, CacheError, EntryMetadata } from '../driver/index.js';
import type { StoreOutcome } from '../policy/index.js';
import type { CacheStatus, CacheStatusDetail, NotStoredReason } from './cache-status.js';

/** What a look-up found. */
export type Lookup =
  | (Found & { readonly kind: 'bytes'; readonly body: Uint8Array })
  | (Found & {
      readonly kind: 'stream';
      readonly body: AsyncIterable<Uint8Array>;
      /** To be called once the body has ended or was given up. Idempotent. */
      readonly release: () => void;
    })
  | Miss;

interface Found {
  readonly metadata: EntryMetadata;
  /** Where it was found. */
  readonly tier: LookedUpTier;
  /** Earlier tiers that certainly do not have it. */
  readonly missedTiers: readonly LookedUpTier[];
}

/** Nothing was found, or nothing that can be served. */
export interface Miss {
  readonly kind: 'miss';
  readonly detail?: CacheStatusDetail | undefined;
  /** The first failure, where it is not certain that nothing is stored. */
  readonly error?: CacheError | undefined;
  /** Tiers in which what is rendered now may be stored. */
  readonly missedTiers: readonly LookedUpTier[];
}

/** A tier, as far as the outcome of a look-up needs it. */
export interface LookedUpTier {
  /** What a request's status is that was served from there. */
  readonly hit: CacheStatus;
  /** Has an entry stored in the background. */
  store(entry: CacheEntry): Promise<StoreOutcome> | Refusal;
}

/** Why a tier does not even try to store an entry. */
export interface Refusal {
  readonly reason: NotStoredReason;
  readonly error?: CacheError;
}
