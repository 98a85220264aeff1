import { type Clock, isCacheError } from '../driver/index.js';
import { Deadline } from '../policy/index.js';
import type { Tier } from './tier.js';
import type { LookupIn, MissedIn } from './tier-lookup.js';

/** What a look-up found. */
export type Lookup = LookupIn<Tier>;

/** What a look-up says that found nothing. */
export type Missed = MissedIn<Tier>;

/** Looks entries up, in one tier after the other until one has it, all within the look-up's deadline. */
export class LookupStep {
  readonly #tiers: readonly Tier[];
  readonly #only: Tier | undefined;
  readonly #deadline: Deadline;

  /** @param seconds how long a look-up may take in all tiers together */
  constructor(tiers: readonly Tier[], clock: Clock, seconds: number) {
    this.#tiers = tiers;
    this.#only = tiers.length === 1 ? tiers[0] : undefined;
    this.#deadline = new Deadline(clock, 'get', seconds);
  }

  /** Never rejects: failures are misses that carry the first error. */
  find(name: string): Promise<Lookup> {
    // A tier bounds its own look-up, so that one alone needs no further bound.
    return this.#only === undefined ? this.#findWithin(name) : this.#only.find(name);
  }

  async #findWithin(name: string): Promise<Lookup> {
    const lacking: Tier[] = [];
    try {
      return await this.#deadline.run(
        () => this.#findInTurn(name, lacking),
        (late) => void (late.kind === 'stream' && late.release()),
      );
    } catch (thrown) {
      if (!isCacheError(thrown)) throw thrown;
      return { kind: 'miss', detail: thrown.code, error: thrown, lacking: [...lacking] };
    }
  }

  /** @param lacking gathers the tiers that certainly do not have it */
  async #findInTurn(name: string, lacking: Tier[]): Promise<Lookup> {
    let missed: Omit<Missed, 'lacking'> = {};
    for (const tier of this.#tiers) {
      const lookup = await tier.find(name);
      if (lookup.kind !== 'miss') return { ...lookup, lacking };
      lacking.push(...lookup.lacking);
      const { detail, error } = lookup;
      if (missed.error === undefined && (error !== undefined || missed.detail === undefined)) {
        missed = { detail, error };
      }
    }
    return { kind: 'miss', ...missed, lacking };
  }
}
