import type { CacheEntry, CacheError, EntryMetadata } from '../driver/index.js';
import type { StoreOutcome } from '../resilience/store-queue.js';
import type { CacheStatus, CacheStatusDetail, NotStoredReason } from './cache-status.js';
import type { StreamedBody } from './streamed-body.js';

/** The result of a look-up. */
export type Lookup =
  | (Found & { readonly kind: 'bytes'; readonly body: Uint8Array })
  | (Found & { readonly kind: 'stream'; readonly body: StreamedBody })
  | Miss;

interface Found {
  readonly metadata: EntryMetadata;
  /** The tier that has it. */
  readonly tier: LookedUpTier;
  /** Earlier tiers that certainly do not have it. */
  readonly missedTiers: readonly LookedUpTier[];
}

/** No entry was found, or none that can be served. */
export interface Miss {
  readonly kind: 'miss';
  readonly detail?: CacheStatusDetail | undefined;
  /** The first failure, if it is not certain that nothing is stored. */
  readonly error?: CacheError | undefined;
  /** Tiers that may store the new rendering. */
  readonly missedTiers: readonly LookedUpTier[];
}

/** The part of a tier that the result of a look-up needs. */
export interface LookedUpTier {
  /** The status of a hit in this tier. */
  readonly hit: CacheStatus;
  /** Stores an entry in the background. */
  store(entry: CacheEntry): Promise<StoreOutcome> | Refusal;
}

/** Why a tier does not try to store an entry. */
export interface Refusal {
  readonly reason: NotStoredReason;
  readonly error?: CacheError;
}

/** Releases the result of a look-up that nobody waits for any more. */
export function releaseLate(late: Lookup): void {
  if (late.kind === 'stream') late.body.release();
}
