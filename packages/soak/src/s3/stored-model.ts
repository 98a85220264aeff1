import { ABSENT, type Change, type Version } from './journal.js';

/**
 * What was stored under each name at which moment, by the store's own journal. It knows when a write truly took effect:
 * one that was aborted or failed may have done so late, or never.
 */
export class StoredModel {
  /** What was stored when the journal's current part began. */
  readonly #before = new Map<string, Version>();
  readonly #changes = new Map<string, Change[]>();

  /** Takes the next part of the journal. What was seen before it must have been judged. */
  take(changes: readonly Change[]): void {
    for (const [name, earlier] of this.#changes) {
      const last = earlier.findLast(({ lie }) => !lie);
      if (last !== undefined) this.#before.set(name, last.version);
    }
    this.#changes.clear();
    for (const change of changes) {
      const known = this.#changes.get(change.name);
      if (known === undefined) this.#changes.set(change.name, [change]);
      else known.push(change);
    }
  }

  /** What a look at a name may have found between two moments: what was true, and what the store lied. */
  visible(name: string, from: number, to: number): ReadonlySet<Version> {
    const seen = new Set([this.#at(name, from)]);
    for (const { at, version } of this.#changes.get(name) ?? [])
      if (at >= from && at <= to) seen.add(version);
    return seen;
  }

  /** Whether a write took effect between two moments. */
  wasWritten(name: string, version: Version, from: number, to: number): boolean {
    return (this.#changes.get(name) ?? []).some(
      (change) => !change.lie && change.version === version && change.at >= from && change.at <= to,
    );
  }

  /** Names that were stored during all of the time between two moments. */
  storedThroughout(prefix: string, from: number, to: number): string[] {
    return this.#names().filter(
      (name) => name.startsWith(prefix) && !this.visible(name, from, to).has(ABSENT),
    );
  }

  /** What is stored now. */
  current(): ReadonlyMap<string, Version> {
    return new Map(this.#names().map((name) => [name, this.#at(name, Number.POSITIVE_INFINITY)]));
  }

  #at(name: string, moment: number): Version {
    const last = this.#changes.get(name)?.findLast(({ at, lie }) => !lie && at < moment);
    return last?.version ?? this.#before.get(name) ?? ABSENT;
  }

  #names(): string[] {
    return [...new Set([...this.#before.keys(), ...this.#changes.keys()])];
  }
}
