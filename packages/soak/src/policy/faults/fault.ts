import type { FakeS3Process } from 'fake-s3';
import type { CacheUse } from '../caches.js';
import type { HostProcess } from '../host/host-process.js';

/** Where a fault strikes. */
export interface Scene {
  readonly use: CacheUse;
  readonly host: HostProcess;
  /** The look-up deadline, in milliseconds. */
  readonly deadline: number;
  /** Of a cache with S3. */
  readonly store: FakeS3Process | undefined;
  /** Of a cache with files: its file system's. */
  readonly disk: string | undefined;
}

/** One way in which a store goes wrong. */
export interface Fault {
  readonly name: string;
  readonly uses: readonly CacheUse[];
  /** Whether look-ups or stores fail so much that they must be suspended. */
  readonly opens: boolean;
  /** What it needs to itself. */
  readonly needs?: 'disk' | 'network';
  /** Of a fault that needs a disk: the options of its mount. */
  readonly mount?: string;
  /**
   * Lets it go wrong.
   * @returns what makes it well again
   * @throws FaultNotPossible where this machine does not let it
   */
  strike(scene: Scene): Promise<() => Promise<void>>;
}

/** This machine does not let a fault happen. */
export class FaultNotPossible extends Error {
  override readonly name = 'FaultNotPossible';
}

/** The store of a scene whose cache has one. */
export function storeOf({ store, use }: Scene): FakeS3Process {
  if (store === undefined) throw new Error(`a cache of ${use} has no S3`);
  return store;
}
