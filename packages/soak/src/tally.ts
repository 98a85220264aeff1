import type { Outcome } from './soak.js';

/** Counts outcomes by operation and kind. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  add(operation: string, outcome: string): void {
    const counts = this.#counts.get(operation) ?? new Map<string, number>();
    this.#counts.set(operation, counts);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }

  count(operation: string, outcome?: string): number {
    const counts = this.#counts.get(operation);
    if (outcome !== undefined) return counts?.get(outcome) ?? 0;
    return [...(counts?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  get total(): number {
    return [...this.#counts.keys()].reduce((sum, operation) => sum + this.count(operation), 0);
  }

  outcomes(): Outcome[] {
    return [...this.#counts].flatMap(([operation, counts]) =>
      [...counts]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([outcome, count]) => ({ operation, outcome, count })),
    );
  }
}
