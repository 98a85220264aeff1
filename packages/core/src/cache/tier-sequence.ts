import { type Clock, isCacheError } from '../driver/index.js';
import { Deadline } from '../resilience/deadline.js';
import type { LookedUpTier, Lookup, Miss } from './lookup.js';
import type { Tier } from './tier.js';

/** Looks up entries tier by tier until one has it, within one deadline. */
export class TierSequence {
  readonly #tiers: readonly Tier[];
  readonly #only: Tier | undefined;
  readonly #deadline: Deadline;

  /** @param seconds the deadline of a look-up in all tiers together */
  constructor(tiers: readonly Tier[], clock: Clock, seconds: number) {
    this.#tiers = tiers;
    this.#only = tiers.length === 1 ? tiers[0] : undefined;
    this.#deadline = new Deadline(clock, 'get', seconds);
  }

  /** Never rejects: after failures it is a miss with the first error. */
  find(name: string): Promise<Lookup> {
    // Each tier has a deadline of its own, so a single one needs no other.
    return this.#only === undefined ? this.#findWithin(name) : this.#only.find(name);
  }

  async #findWithin(name: string): Promise<Lookup> {
    const missedTiers: LookedUpTier[] = [];
    try {
      return await this.#deadline.run(
        () => this.#findInTurn(name, missedTiers),
        (late) => void (late.kind === 'stream' && late.body.release()),
      );
    } catch (thrown) {
      if (!isCacheError(thrown)) throw thrown;
      return { kind: 'miss', detail: thrown.code, error: thrown, missedTiers: [...missedTiers] };
    }
  }

  /** @param missedTiers collects the tiers that certainly do not have it */
  async #findInTurn(name: string, missedTiers: LookedUpTier[]): Promise<Lookup> {
    let first: Pick<Miss, 'detail' | 'error'> = {};
    for (const tier of this.#tiers) {
      const lookup = await tier.find(name);
      if (lookup.kind !== 'miss') return { ...lookup, missedTiers };
      missedTiers.push(...lookup.missedTiers);
      const { detail, error } = lookup;
      if (first.error === undefined && (error !== undefined || first.detail === undefined)) {
        first = { detail, error };
      }
    }
    return { kind: 'miss', ...first, missedTiers };
  }
}
