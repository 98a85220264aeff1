import type { Change as StoreChange } from 'fake-s3';

/** Every stored entry has a number of its own; {@link ABSENT} where there is none. */
export type Version = number;

export const ABSENT: Version = 0;

/** What the store did, or pretended, that a client can tell from nothing else. */
export interface Change {
  /** On {@link now}. */
  readonly at: number;
  readonly name: string;
  /** What is stored under the name from now on; of a lie: what was said to be. */
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
  /** How often which fault was played. */
  readonly faults: Readonly<Record<string, number>>;
}

/** Nanoseconds on the machine's clock, the same in all of its processes. */
export function now(): number {
  return Number(process.hrtime.bigint());
}

/** An entry's version as its ETag, which travels with it through cache, driver and store. */
export function etagOf(version: Version): string {
  return `"v${version}"`;
}

/** The version behind an ETag; not a number where there is none. */
export function versionOf(etag: string | undefined): Version {
  return Number(/^"v(\d+)"$/.exec(etag ?? '')?.[1]);
}

/** A change of the store's own journal, with the version of what it stores. */
export function changeOf({ at, name, object, lie }: StoreChange): Change {
  return {
    at,
    name,
    version: object === undefined ? ABSENT : versionOf(object.headers['x-amz-meta-etag']),
    lie,
  };
}
