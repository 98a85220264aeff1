import { Findings } from '../findings.js';
import type { Outcome } from '../soak.js';
import type { TrafficTally } from './host/host-orders.js';

/** What the traffic of several hosts has done, and what was wrong with it. */
export class TrafficFindings {
  readonly wrong = new Findings();
  readonly unanswered = new Findings();
  readonly #sums = new Map<string, TrafficTally>();

  /** To be told what goes wrong in a host's traffic. */
  readonly onTrouble = (kind: 'wrong' | 'unanswered', story: string): void => this[kind].add(story);

  /** @param hosts which ones, in words */
  add(hosts: string, { requests, hits, stored, deletions, failures }: TrafficTally): void {
    const before = this.#sums.get(hosts);
    this.#sums.set(hosts, {
      requests: requests + (before?.requests ?? 0),
      hits: hits + (before?.hits ?? 0),
      stored: stored + (before?.stored ?? 0),
      deletions: deletions + (before?.deletions ?? 0),
      failures: failures + (before?.failures ?? 0),
    });
  }

  outcomes(): Outcome[] {
    return [...this.#sums].flatMap(([operation, sums]) =>
      Object.entries(sums).map(([outcome, count]) => ({
        operation,
        outcome: outcome === 'stored' ? 'stored bytes' : outcome,
        count,
      })),
    );
  }
}
