import {
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type CacheOperation,
  type CheckFinding,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { abortable, abortedError } from './abortable.js';
import { AtomicWriter } from './atomic-write.js';
import { type CacheLayout, parentOf } from './cache-layout.js';
import { encodeTrailer } from './entry-file.js';
import { EntryNames } from './entry-names.js';
import { EntryReader } from './entry-reader.js';
import { EntryRemoval } from './entry-removal.js';
import { FolderTree, isAbsence } from './folder-tree.js';
import { statfs } from './fs-calls.js';
import { fsError, toCacheError, toWriteError } from './fs-errors.js';
import { removeLeftovers } from './leftovers.js';

/** How the driver writes. */
export interface FsDriverOptions {
  readonly sync: boolean;
  readonly fileMode: number;
  readonly folderMode: number;
}

// Below this share a full file system is near.
const SCARCE = 0.01;
const LEFTOVERS_INTERVAL = 60 * 60 * 1000;

/** Entries as files below one folder. Any number of processes may use the same folder. */
export class FsDriver implements CacheDriver {
  readonly #layout: CacheLayout;
  readonly #sync: boolean;
  readonly #context: DriverContext;
  readonly #folders: FolderTree;
  readonly #reader = new EntryReader();
  readonly #writer: AtomicWriter;
  #leftoversRemovedAt = Number.NEGATIVE_INFINITY;
  #running = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(layout: CacheLayout, options: FsDriverOptions, context: DriverContext) {
    this.#layout = layout;
    this.#sync = options.sync;
    this.#context = context;
    this.#folders = new FolderTree(layout, { mode: options.folderMode, sync: options.sync });
    this.#writer = new AtomicWriter(layout, this.#folders, { mode: options.fileMode, sync: options.sync });
  }

  get(name: string, { signal }: OperationOptions = {}): Promise<StoredEntry | undefined> {
    return this.#operate(
      'get',
      signal,
      () => this.#read(name),
      (entry) => void entry?.discard(),
    );
  }

  put(name: string, entry: CacheEntry, { signal }: OperationOptions = {}): Promise<void> {
    return this.#operate('put', signal, () => this.#write(name, entry, signal));
  }

  async delete(names: readonly string[], { signal }: OperationOptions = {}): Promise<void> {
    const removal = new EntryRemoval(this.#layout, this.#folders, this.#sync, names);
    try {
      await this.#operate('delete', signal, () => removal.run(signal));
    } catch (thrown) {
      const failedNames = removal.remaining;
      const { code, message, retryable, cause } = toCacheError(thrown, 'delete', this.#layout.root);
      throw new CacheError(code, `${failedNames.length} entries may still be stored: ${message}`, {
        driver: 'fs',
        operation: 'delete',
        retryable,
        cause,
        failedNames,
      });
    }
  }

  async *list(prefix: string, { signal }: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    this.#assertOpen('list');
    for await (const name of new EntryNames(this.#layout, this.#folders, signal).beginningWith(prefix)) {
      yield name;
      this.#assertOpen('list');
    }
  }

  check({ signal }: OperationOptions = {}): Promise<DriverCheck> {
    return this.#operate('check', signal, async () => {
      const { ok, findings } = await checkRoundTrip(this, this.#context, { signal });
      return { ok, findings: [...findings, ...(await this.#findScarcity())] };
    });
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#running === 0) resolve();
      else this.#onIdle = resolve;
    });
    return this.#closing;
  }

  async #read(name: string): Promise<StoredEntry | undefined> {
    const place = this.#layout.place(name);
    const folder = parentOf(place);
    try {
      if (this.#folders.isKnown(folder) || (await this.#folders.find(folder, 'get'))) {
        return await this.#reader.read(this.#layout.path(place));
      }
    } catch (error) {
      if (!isAbsence(error)) throw toCacheError(error, 'get', this.#layout.path(place));
    }
    await this.#folders.assertRoot('get');
    return undefined;
  }

  async #write(name: string, { metadata, body }: CacheEntry, signal: AbortSignal | undefined): Promise<void> {
    const place = this.#layout.place(name);
    const trailer = encodeTrailer(metadata, body);
    this.#removeLeftovers();
    try {
      await this.#writer.write(place, [body, trailer], signal);
    } catch (error) {
      if (isAbsence(error)) await this.#folders.assertRoot('put');
      throw await toWriteError(error, this.#layout.path(place), this.#layout.root);
    }
  }

  /** In the background of a put: at the first one, and then no more than once in an hour. */
  #removeLeftovers(): void {
    const now = this.#context.clock.monotonic();
    if (now - this.#leftoversRemovedAt < LEFTOVERS_INTERVAL) return;
    this.#leftoversRemovedAt = now;
    const folder = this.#layout.path(this.#layout.temporaryFolder);
    void this.#track(async () => {
      try {
        const removed = await removeLeftovers(folder, this.#context.clock.now());
        if (removed === 0) return;
        const message = `removed ${removed} unfinished files of writers that died from ${folder}`;
        this.#context.report({ kind: 'leftovers-removed', level: 'info', message });
      } catch (error) {
        const { message } = toCacheError(error, 'put', folder);
        this.#context.report({ kind: 'leftovers-kept', level: 'warn', message });
      }
    });
  }

  async #findScarcity(): Promise<CheckFinding[]> {
    const { root } = this.#layout;
    try {
      const { blocks, bavail, files, ffree } = await statfs(root);
      const scarce: string[] = [];
      if (bavail < blocks * SCARCE) scarce.push('bytes');
      if (ffree < files * SCARCE) scarce.push('inodes');
      if (scarce.length === 0) return [];
      const message = `less than 1 % of the ${scarce.join(' and ')} of the file system of ${root} are left: delete old entries or enlarge it`;
      return [{ level: 'warning', subject: 'space', message }];
    } catch {
      // What is wrong with the root the round trip has found already.
      return [];
    }
  }

  #operate<Value>(
    operation: CacheOperation,
    signal: AbortSignal | undefined,
    work: () => Promise<Value>,
    onLate?: (value: Value) => void,
  ): Promise<Value> {
    if (this.#closing !== undefined) return Promise.reject(closedError(operation));
    if (signal?.aborted) return Promise.reject(abortedError(operation, signal));
    return abortable(this.#track(work), signal, (reason) => abortedError(operation, reason), onLate);
  }

  /** Counts work as running, abandoned work too, until it is really over. */
  async #track<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#onIdle?.();
    }
  }

  #assertOpen(operation: CacheOperation): void {
    if (this.#closing !== undefined) throw closedError(operation);
  }
}

function closedError(operation: CacheOperation): CacheError {
  return fsError(
    'ERR_CACHE_CLOSED',
    `cannot ${operation}: the cache in the file system was closed`,
    operation,
  );
}
