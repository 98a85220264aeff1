import type { EntryNames } from '../key/entry-names.js';
import type { FlightTable } from '../resilience/single-flight.js';
import type { Tier } from './tier.js';

const BATCH = 1000;

export interface DeletionParts {
  /** In look-up order. */
  readonly tiers: readonly Tier[];
  readonly flights: Pick<FlightTable<unknown>, 'invalidate'>;
  readonly names: Pick<EntryNames, 'isEntry'>;
}

/**
 * Deletes from all tiers, the last first, so that no tier is filled again from a later one. It also drops matching entries
 * that are not yet stored. If a tier fails, the others are still processed; the first failure is thrown.
 */
export class Deletion {
  readonly #parts: DeletionParts;

  constructor(parts: DeletionParts) {
    this.#parts = parts;
  }

  /** @throws CacheError */
  async delete(name: string): Promise<void> {
    await this.#inEachTier(
      (candidate) => candidate === name,
      ({ driver }) => driver.delete([name]),
    );
  }

  /**
   * Deletes all entries whose names begin with `prefix`.
   * @returns the number of deleted entries in the tier that had most
   * @throws CacheError
   */
  async purge(prefix: string, signal: AbortSignal | undefined): Promise<number> {
    const counts = await this.#inEachTier(
      (candidate) => candidate.startsWith(prefix),
      (tier) => this.#purge(tier, prefix, signal),
    );
    return Math.max(0, ...counts);
  }

  async #inEachTier<T>(matches: (name: string) => boolean, work: (tier: Tier) => Promise<T>): Promise<T[]> {
    const { tiers, flights } = this.#parts;
    const results: T[] = [];
    const failures: unknown[] = [];
    flights.invalidate(matches);
    for (const tier of tiers.toReversed()) {
      try {
        await tier.queue.cancel(matches);
        results.push(await work(tier));
      } catch (error) {
        failures.push(error);
      }
      flights.invalidate(matches);
    }
    if (failures.length > 0) throw failures[0];
    return results;
  }

  async #purge({ driver }: Tier, prefix: string, signal: AbortSignal | undefined): Promise<number> {
    let deleted = 0;
    let batch: string[] = [];
    const deleteBatch = async (): Promise<void> => {
      if (batch.length > 0) await driver.delete(batch, signal);
      deleted += batch.length;
      batch = [];
    };
    for await (const name of driver.list(prefix, signal)) {
      if (!name.startsWith(prefix) || !this.#parts.names.isEntry(name)) continue;
      batch.push(name);
      if (batch.length === BATCH) await deleteBatch();
    }
    await deleteBatch();
    return deleted;
  }
}
