import { type CacheError, type Clock, isCacheError } from '../driver/index.js';
import { Deadline } from '../policy/index.js';
import type { CacheStatusDetail } from './cache-status.js';
import type { Tier } from './tier.js';
import type { TierFinding } from './tier-lookup.js';

/** What a look-up found. */
export type Lookup =
  | (Exclude<TierFinding, { kind: 'miss' }> & {
      /** Where it was found. */
      readonly tier: Tier;
      /** Earlier tiers that certainly do not have it. */
      readonly lacking: readonly Tier[];
    })
  | ({ readonly kind: 'miss' } & Missed);

/** What a look-up says that found nothing. */
export interface Missed {
  readonly detail?: CacheStatusDetail | undefined;
  /** The first failure, where it is not certain that nothing is stored. */
  readonly error?: CacheError | undefined;
  /** Tiers in which what is rendered now may be stored. */
  readonly lacking: readonly Tier[];
}

/** Looks entries up, in one tier after the other until one has it, all within the look-up's deadline. */
export class LookupStep {
  readonly #tiers: readonly Tier[];
  readonly #deadline: Deadline;

  /** @param seconds how long a look-up may take in all tiers together */
  constructor(tiers: readonly Tier[], clock: Clock, seconds: number) {
    this.#tiers = tiers;
    this.#deadline = new Deadline(clock, 'get', seconds);
  }

  /** Never rejects: failures are misses that carry the first error. */
  async find(name: string): Promise<Lookup> {
    const [only] = this.#tiers;
    // A tier bounds its own look-up, so that one alone needs no further bound.
    if (only !== undefined && this.#tiers.length === 1) return found(await only.find(name), only);
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
      const finding = await tier.find(name);
      if (finding.kind !== 'miss') return { ...finding, tier, lacking };
      if (finding.replaceable) lacking.push(tier);
      const { detail, error } = finding;
      if (missed.error === undefined && (error !== undefined || missed.detail === undefined)) {
        missed = { detail, error };
      }
    }
    return { kind: 'miss', ...missed, lacking };
  }
}

function found(finding: TierFinding, tier: Tier): Lookup {
  if (finding.kind !== 'miss') return { ...finding, tier, lacking: [] };
  const { kind, detail, error, replaceable } = finding;
  return { kind, detail, error, lacking: replaceable ? [tier] : [] };
}
