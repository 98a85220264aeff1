import type { Change as StoreChange } from 'fake-s3';

/** The ETag of what is stored under a name; {@link ABSENT} for nothing. */
export type Version = string;

export const ABSENT: Version = '';

/** Something that only the store knows. */
export interface Change {
  /** On {@link now}. */
  readonly at: number;
  readonly name: string;
  /** What is stored from now on, or for a lie what a client was told. */
  readonly version: Version;
  readonly lie: boolean;
}

/** What the store tells of itself. */
export interface StoreReport {
  /** In the order they happened, since the last report. */
  readonly changes: readonly Change[];
  /** Requests whose heads have arrived. */
  readonly requests: number;
  /** Requests that have not been answered to their end. */
  readonly answering: number;
  readonly connections: number;
  /** How often each fault has struck. */
  readonly faults: Readonly<Record<string, number>>;
}

/** Nanoseconds on the machine's clock, the same in all of its processes. */
export function now(): number {
  return Number(process.hrtime.bigint());
}

export function changeOf({ at, name, object, lie }: StoreChange): Change {
  return { at, name, version: object?.headers['x-amz-meta-etag'] ?? ABSENT, lie };
}

/**
 * What was stored under each name at which moment, by the store's own journal. Only that tells when a write took effect:
 * one that was aborted or failed may have done so late, or never.
 */
export class StoreModel {
  /** What was stored when the current part of the journal began. */
  readonly #before = new Map<string, Version>();
  #changes = new Map<string, Change[]>();

  /** Takes the next part of the journal, and forgets the part before it. */
  take(changes: readonly Change[]): void {
    for (const [name, earlier] of this.#changes) {
      const last = earlier.findLast(({ lie }) => !lie);
      if (last !== undefined) this.#before.set(name, last.version);
    }
    this.#changes = Map.groupBy(changes, ({ name }) => name);
  }

  /** What a get may have found between two moments: what was true, and what the store lied. */
  visible(name: string, from: number, to: number): ReadonlySet<Version> {
    const within = (this.#changes.get(name) ?? []).filter(({ at }) => at >= from && at <= to);
    return new Set([this.#at(name, from), ...within.map(({ version }) => version)]);
  }

  /** Whether a write took effect between two moments. */
  wasWritten(name: string, version: Version, from: number, to: number): boolean {
    return (this.#changes.get(name) ?? []).some(
      (change) => !change.lie && change.version === version && change.at >= from && change.at <= to,
    );
  }

  /** Names that were stored all the time between two moments. */
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
