/** A version of an entry; {@link ABSENT} where there is none. */
export type Version = number;

export const ABSENT: Version = 0;

/** What happens to one name during a batch. */
export interface NameTraffic {
  /** Versions whose put has begun. */
  readonly put: Set<Version>;
  /** Whether every write has ended for certain; an aborted one may or may not have had its effect. */
  certain: boolean;
  deleted: boolean;
}

/** What the contract allows to be stored under one name. */
export class NameModel {
  #possible: ReadonlySet<Version> = new Set([ABSENT]);
  #traffic: NameTraffic = { put: new Set(), certain: false, deleted: false };

  /** Forgets the traffic of the last batch. */
  begin(): void {
    this.#traffic = { put: new Set(), certain: false, deleted: false };
  }

  put(version: Version, certain: boolean): void {
    this.#traffic.put.add(version);
    this.#traffic.certain ||= certain;
  }

  delete(certain: boolean): void {
    this.#traffic.deleted = true;
    this.#traffic.certain ||= certain;
  }

  /** What a get may find while the batch runs: during an overwrite the old entry, the new one or none. */
  get visible(): ReadonlySet<Version> {
    const { put, deleted } = this.#traffic;
    return new Set([...this.#possible, ...put, ...(deleted || put.size > 0 ? [ABSENT] : [])]);
  }

  /** What may be there once the batch has ended. */
  get final(): ReadonlySet<Version> {
    const { put, deleted, certain } = this.#traffic;
    return new Set([...put, ...(deleted ? [ABSENT] : []), ...(certain ? [] : this.#possible)]);
  }

  /** Takes what was found when nothing was under way: from now on nothing else is possible. */
  settle(version: Version): void {
    this.#possible = new Set([version]);
  }
}
