/** A version of an entry; {@link ABSENT} where there is none. */
export type Version = number;

export const ABSENT: Version = 0;

/** The writes of one name in a batch. */
export interface NameTraffic {
  /** Versions whose put has begun. */
  readonly put: Set<Version>;
  /** Whether a write has certainly taken effect; an aborted one may not have. */
  certain: boolean;
  deleted: boolean;
}

/** What the contract allows to be stored under one name. */
export class NameModel {
  #possible: ReadonlySet<Version> = new Set([ABSENT]);
  #traffic: NameTraffic = { put: new Set(), certain: false, deleted: false };

  /** Forgets the writes of the last batch. */
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

  /** What a get may find while the batch runs. */
  get visible(): ReadonlySet<Version> {
    const { put, deleted } = this.#traffic;
    return new Set([...this.#possible, ...put, ...(deleted || put.size > 0 ? [ABSENT] : [])]);
  }

  /** What may be stored once the batch has ended. */
  get final(): ReadonlySet<Version> {
    const { put, deleted, certain } = this.#traffic;
    return new Set([...put, ...(deleted ? [ABSENT] : []), ...(certain ? [] : this.#possible)]);
  }

  /** Sets what was found after the batch as the only possibility. */
  settle(version: Version): void {
    this.#possible = new Set([version]);
  }
}
