import type { TierHealth } from './driver-health.js';

/** The health of a cache: that of its least healthy driver, and of each. */
export type CacheHealth =
  | { readonly status: 'off' }
  | (Pick<TierHealth, 'status' | 'since' | 'reason' | 'code'> & { readonly tiers: readonly TierHealth[] });

const BADNESS = { healthy: 0, degraded: 1, open: 2 } as const satisfies Record<TierHealth['status'], number>;

/** @param tiers none: the cache is off */
export function healthOf(tiers: readonly TierHealth[]): CacheHealth {
  const [worst] = tiers.toSorted((one, other) => BADNESS[other.status] - BADNESS[one.status]);
  if (worst === undefined) return { status: 'off' };
  const { driver: _, ...health } = worst;
  return { ...health, tiers };
}
