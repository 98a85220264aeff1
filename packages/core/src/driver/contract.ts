import type { CacheError } from './cache-error.js';
import type { Clock } from './clock.js';
import type { ConfigFault, ConfigTable, ConfigValues, Environment } from './config-table.js';
import type { EntryMetadata } from './entry-metadata.js';

/** The version of the driver contract that this copy of core speaks. */
export const CONTRACT_VERSION = 1;

export interface OperationOptions {
  /** Ends the operation at any moment with `ERR_CACHE_ABORTED`, credential exchange included. */
  readonly signal?: AbortSignal | undefined;
}

/** What `put` stores: the whole body as bytes, so that a store can be retried. */
export interface CacheEntry {
  readonly metadata: EntryMetadata;
  readonly body: Uint8Array;
}

/**
 * What `get` found. The body is consumed once, by `bytes`, `stream` or `discard`;
 * a second consumption fails with `ERR_CACHE_DRIVER_CONTRACT`. An entry that
 * nobody consumes gives back its socket or file on disposal (`await using`).
 */
export interface StoredEntry extends AsyncDisposable {
  readonly metadata: EntryMetadata;
  /**
   * True where the driver vouches for the body, as a memory driver does that verified it at `put`:
   * core then does not compute the CRC-32 again.
   */
  readonly verified?: boolean;
  /**
   * The whole body. Callers must not change the bytes: a driver may hand out the same ones again. The signal ends the
   * reading soon, also while the store sends nothing; so it does for `stream`.
   */
  bytes(options?: OperationOptions): Promise<Uint8Array>;
  /** The body in chunks, read only as fast as they are taken. Returning early releases everything. */
  stream(options?: OperationOptions): AsyncIterable<Uint8Array>;
  /**
   * Gives the body up and releases what it holds. Idempotent; harmless once the body has been read, and breaks
   * off a reading that is under way.
   */
  discard(): Promise<void>;
}

/** One thing that {@link CacheDriver.check} found out. */
export interface CheckFinding {
  /** An `error` makes the driver unusable, a `warning` costs the feature that the message names. */
  readonly level: 'error' | 'warning';
  /** The right or the setting it is about, such as `read`, `write`, `delete`, `list`. */
  readonly subject: string;
  /** What was found and what mends it, for a person to act on. */
  readonly message: string;
  /** The failure behind an `error`. */
  readonly error?: CacheError;
}

export interface DriverCheck {
  /** False as soon as one finding is an `error`. */
  readonly ok: boolean;
  readonly findings: readonly CheckFinding[];
}

/**
 * A store of entries. It owns the wire (connections, deadlines, bounded retries, credentials) and no policy:
 * it logs nothing, counts nothing and never turns a failure into a miss. Every rejection is a `CacheError`. A store
 * that cannot be reached, or cannot serve now, is `ERR_CACHE_UNAVAILABLE` or `ERR_CACHE_TIMEOUT`, and retryable;
 * `ERR_CACHE_ACCESS_DENIED` is the answer of a store that refused, and `ERR_CACHE_NO_BUCKET` that of one without the
 * bucket or root.
 *
 * A name is complete, prefixed and opaque: 1 to 256 printable ASCII characters in segments of at most 200,
 * separated by `/`, none of them empty, `.` or `..`. A driver stores and lists names, it does not parse them. Every
 * character counts, the 256th included, and none has a meaning: not `*`, `?`, `[`, `_` or `%` either.
 */
export interface CacheDriver {
  /**
   * Finds an entry; `undefined` is a miss, and certainly one. The metadata is known, a large body is not yet read.
   * Rejects with `ERR_CACHE_CORRUPT` for what is no entry, and with `ERR_CACHE_UNSUPPORTED` only for an entry
   * of a newer format, or a store of one: it is a miss that must not be overwritten. The signal ends with the look-up; the body is
   * read under that of `bytes` or `stream`.
   */
  get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined>;
  /**
   * The entry, at once and without a promise: only for a store in the process's own memory that verified the body at
   * `put`. `undefined` says nothing: core then asks `get`. Core uses it only where `held` and `get` come from the same
   * class, so that a subclass or wrapper that overrides `get` is never bypassed.
   */
  held?(name: string): CacheEntry | undefined;
  /**
   * Stores an entry in the place of any older one. Readers see the old entry, the new one or none, never a
   * part, and so after a crash. When it rejects, either the old or the new entry is there;
   * one that was aborted may still reach the store later, whole. Rejects with `ERR_CACHE_CORRUPT` where something else
   * is under the name that cannot be replaced, which says nothing against the store; a `get` that finds it says the same.
   * Nothing of the caller's bytes and metadata is kept by reference, and no field outside the allow-list is kept.
   */
  put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void>;
  /**
   * Removes any number of entries; one that does not exist is removed. Whatever it rejects with, the names that
   * may still be stored are in `failedNames`.
   */
  delete(names: readonly string[], options?: OperationOptions): Promise<void>;
  /**
   * All names that begin with `prefix`, in no order, in constant memory. The prefix is text, taken literally: it may
   * end within a segment, and it is no pattern.
   */
  list(prefix: string, options?: OperationOptions): AsyncIterable<string>;
  /** Writes, reads, compares and deletes under the reserved name, and says what it found. */
  check(options?: OperationOptions): Promise<DriverCheck>;
  /** Releases everything; nothing keeps the process alive afterwards. Idempotent. */
  close(): Promise<void>;
}

/** Something worth knowing that is neither an answer nor an error, such as a region learned or a retry. */
export interface DriverEvent {
  /** What happened, in kebab case: `region-learned`, `leftovers-removed`. Counted by this name. */
  readonly kind: string;
  /** For the log. Without credentials, cookies and signed URLs. */
  readonly message: string;
  readonly level: 'debug' | 'info' | 'warn';
}

/** What core gives a driver at its creation. */
export interface DriverContext {
  /** Tells core about an event; core logs and counts it. Never throws. */
  report(event: DriverEvent): void;
  readonly clock: Clock;
  /**
   * How long core waits for a `get`, in seconds. The pauses between a driver's attempts at a `get` take a small share of
   * it at most, so that a store that fails half of the time delays no request. Absent: as long as it takes.
   */
  readonly lookupTimeoutSeconds?: number;
  /** The complete name that `check()` may write, read and delete. No entry ever has it. */
  readonly reservedName: string;
  /**
   * The environment that the host gave, for variables that belong to an SDK, such as `AWS_PROFILE`. The driver's own
   * are in its configuration. Absent: `process.env`.
   */
  readonly env?: Environment;
}

/**
 * What a driver's store can and cannot do. A limitation says why, in a sentence for the operator.
 */
export interface DriverCapabilities {
  /** Whether entries outlive the process and are seen by other processes. */
  readonly shared: boolean;
  /** The largest body the store takes, in bytes. Absent: limited by the configuration alone. */
  readonly maxEntryBytes?: number;
  /**
   * What the store cannot do, by the name of the operation, each with its reason. A `delete` or `list` that is
   * limited rejects with `ERR_CACHE_UNSUPPORTED`.
   */
  readonly limitations?: Readonly<Partial<Record<'delete' | 'list' | 'atomic-overwrite', string>>>;
}

/** A driver's package exports one of these, made by {@link defineCacheDriver}, as its default export. */
export interface CacheDriverDefinition<Table extends ConfigTable = ConfigTable> {
  /** What `IMGPROXY_CACHE_USE` selects: `[a-z][a-z0-9-]*`. */
  readonly name: string;
  /** The contract version the driver was written for; see {@link CONTRACT_VERSION}. */
  readonly contract: number;
  /** The variables of the driver, as plain data, which core reads. */
  readonly config: Table;
  readonly capabilities: DriverCapabilities;
  /**
   * Faults that no single value shows, such as a root that is not a folder. Runs once at start, after
   * every value has been parsed, and its faults are reported together with all others.
   * @param env as in {@link DriverContext}
   */
  validate?(
    config: ConfigValues<Table>,
    env?: Environment,
  ): readonly ConfigFault[] | Promise<readonly ConfigFault[]>;
  /** Makes the driver. Synchronous: connections and credentials come with the first operation. */
  create(config: ConfigValues<Table>, context: DriverContext): CacheDriver;
}
