import type { CacheError } from './cache-error.js';
import type { Clock } from './clock.js';
import type { ConfigFault, ConfigTable, ConfigValues, Environment } from './config-table.js';
import type { EntryMetadata } from './entry-metadata.js';

/** The version of the driver contract that this version of core implements. */
export const CONTRACT_VERSION = 1;

export interface OperationOptions {
  /** Aborts the operation with `ERR_CACHE_ABORTED` at any moment, also while credentials are fetched. */
  readonly signal?: AbortSignal | undefined;
}

/** What `put` stores. The body is bytes and no stream, so that a put can be retried. */
export interface CacheEntry {
  readonly metadata: EntryMetadata;
  readonly body: Uint8Array;
}

/**
 * What `get` found. The body is consumed once, by `bytes`, `stream` or `discard`; a second consumption fails with
 * `ERR_CACHE_DRIVER_CONTRACT`. Disposal (`await using`) releases the socket or file of an entry that was not consumed.
 */
export interface StoredEntry extends AsyncDisposable {
  readonly metadata: EntryMetadata;
  /**
   * Whether the driver guarantees that the body matches its CRC-32, such as a memory driver that verified it at `put`.
   * Core then does not compute the checksum again.
   */
  readonly verified?: boolean;
  /**
   * Reads the whole body. Callers must not change the bytes, since a driver may return the same ones again. An abort ends
   * the read promptly, even while the store sends nothing; the same holds for `stream`.
   */
  bytes(options?: OperationOptions): Promise<Uint8Array>;
  /** Reads the body in chunks, no faster than the caller takes them. Returning early releases everything. */
  stream(options?: OperationOptions): AsyncIterable<Uint8Array>;
  /**
   * Discards the body and releases its socket or file. Aborts a pending read; has no effect once the body has been read.
   * Idempotent.
   */
  discard(): Promise<void>;
}

/** One finding of {@link CacheDriver.check}. */
export interface CheckFinding {
  /** With an `error` the driver is unusable; with a `warning` the feature named in the message does not work. */
  readonly level: 'error' | 'warning';
  /** The permission or setting concerned, such as `read`, `write`, `delete`, `list`. */
  readonly subject: string;
  /** What was found and how to fix it, for an operator. */
  readonly message: string;
  /** The failure behind an `error`. */
  readonly error?: CacheError;
}

export interface DriverCheck {
  /** False if any finding is an `error`. */
  readonly ok: boolean;
  readonly findings: readonly CheckFinding[];
}

/**
 * A store of entries. It handles transport (connections, deadlines, bounded retries, credentials) and no policy: it
 * logs and counts nothing, and never reports a failure as a miss. Every rejection is a `CacheError`. A store that cannot
 * be reached or cannot serve now is `ERR_CACHE_UNAVAILABLE` or `ERR_CACHE_TIMEOUT`, and retryable;
 * `ERR_CACHE_ACCESS_DENIED` is a refusal by the store, and `ERR_CACHE_NO_BUCKET` a missing bucket or root.
 *
 * A name is complete, prefixed and opaque: 1 to 256 printable ASCII characters in segments of at most 200, separated by
 * `/`, none of them empty, `.` or `..`. A driver stores and lists names and does not parse them. Every character counts,
 * the 256th included, and none has a special meaning, not even `*`, `?`, `[`, `_` or `%`.
 */
export interface CacheDriver {
  /**
   * Looks up an entry. `undefined` is returned only for a certain miss. The metadata is known; a large body is not yet
   * read. Rejects with `ERR_CACHE_CORRUPT` for an object that is no entry, and with `ERR_CACHE_UNSUPPORTED` only for an
   * entry, or a store, of a newer format, which must not be overwritten. The signal applies to the look-up; reading the
   * body has the signal of `bytes` or `stream`.
   */
  get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined>;
  /**
   * Returns the entry synchronously. Only for stores in the process's own memory that verified the body at `put`.
   * `undefined` is no miss: core then calls `get`. Core uses `held` only if it comes from the same class as `get`, so that
   * a subclass or wrapper that overrides `get` is never bypassed.
   */
  held?(name: string): CacheEntry | undefined;
  /**
   * Stores an entry and replaces an older one. Readers see the old entry, the new one or none, never a part, also after
   * a crash. After a rejection either the old or the new entry is stored; an aborted put may still reach the store later,
   * whole. Rejects with `ERR_CACHE_CORRUPT` if something else has the name and cannot be replaced; this does not count as
   * a failure of the store, and `get` rejects with the same code. The driver keeps no reference to the caller's bytes or
   * metadata, and no field outside the allow-list.
   */
  put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void>;
  /**
   * Deletes any number of entries. Deleting one that does not exist succeeds. A rejection lists the names that may still be
   * stored in `failedNames`.
   */
  delete(names: readonly string[], options?: OperationOptions): Promise<void>;
  /**
   * Lists all names that begin with `prefix`, in any order and in constant memory. The prefix is literal text and no
   * pattern; it may end within a segment.
   */
  list(prefix: string, options?: OperationOptions): AsyncIterable<string>;
  /**
   * Writes, reads, compares, lists and deletes an entry under the reserved name, and returns the findings. Absent:
   * `checkRoundTrip` does that. A driver that finds out more has a check of its own.
   */
  check?(options?: OperationOptions): Promise<DriverCheck>;
  /** Releases everything. Nothing keeps the process alive afterwards. Idempotent. */
  close(): Promise<void>;
}

/** An event that is neither a result nor an error, such as a retry or a change of region. */
export interface DriverEvent {
  /** What happened, in kebab case, such as `region-learned` or `leftovers-removed`. Metrics count events by it. */
  readonly kind: string;
  /** Text for the log. It holds no credentials, cookies or signed URLs. */
  readonly message: string;
  readonly level: 'debug' | 'info' | 'warn';
}

/** What core passes to a driver at its creation. */
export interface DriverContext {
  /** Reports an event, which core logs and counts. Never throws. */
  report(event: DriverEvent): void;
  readonly clock: Clock;
  /**
   * How long core waits for a `get`, in seconds. A driver's pauses between retries of a `get` must take only a small share
   * of it, so that a store that fails half of the time delays no request. Absent: no limit.
   */
  readonly lookupTimeoutSeconds?: number;
  /** The complete name that `check()` may write, read and delete. No entry has it. */
  readonly reservedName: string;
  /**
   * The host's environment, for variables that belong to an SDK, such as `AWS_PROFILE`. The driver's own variables are in
   * its configuration. Absent: `process.env`.
   */
  readonly env?: Environment;
}

/** What a driver's store can and cannot do. */
export interface DriverCapabilities {
  /** Whether entries outlive the process and are visible to other processes. */
  readonly shared: boolean;
  /** The largest body that the store accepts, in bytes. Absent: limited by the configuration only. */
  readonly maxEntryBytes?: number;
  /**
   * Operations that the store does not support, each with its reason in a sentence for the operator. Such a `delete` or
   * `list` rejects with `ERR_CACHE_UNSUPPORTED`.
   */
  readonly limitations?: Readonly<Partial<Record<'delete' | 'list' | 'atomic-overwrite', string>>>;
}

/** The default export of a driver's package, made by {@link defineCacheDriver}. */
export interface CacheDriverDefinition<Table extends ConfigTable = ConfigTable> {
  /** What `IMGPROXY_CACHE_USE` selects: `[a-z][a-z0-9-]*`. */
  readonly name: string;
  /** The version of the driver contract that the driver was written for: 1. */
  readonly contract: number;
  /** The variables of the driver, as plain data. Core reads them from the environment. */
  readonly config: Table;
  readonly capabilities: DriverCapabilities;
  /**
   * Finds faults that no value shows by itself, such as a root that is not a folder. Runs once at start, after all values
   * have been parsed. Its faults are reported together with all others.
   * @param env as in {@link DriverContext}
   */
  validate?(
    config: ConfigValues<Table>,
    env?: Environment,
  ): readonly ConfigFault[] | Promise<readonly ConfigFault[]>;
  /** Creates the driver. Synchronous: connections and credentials are made by the first operation. */
  create(config: ConfigValues<Table>, context: DriverContext): CacheDriver;
}
