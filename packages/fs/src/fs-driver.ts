import {
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type CacheOperation,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { abortable, abortedError } from './abortable.js';
import { CacheLayout, parentOf } from './cache-layout.js';
import { encodeTrailer } from './entry-file.js';
import { EntryNames } from './entry-names.js';
import { EntryReader } from './entry-reader.js';
import { EntryRemoval } from './entry-removal.js';
import { EntryWriter } from './entry-writer.js';
import { Eviction, type SpaceLimits } from './eviction/eviction.js';
import { checkSpace } from './eviction/space-check.js';
import { FolderTree } from './folder-tree.js';
import type { FsConfig } from './fs-config.js';
import { fsError, isAbsence, isFull, toCacheError, toWriteError } from './fs-errors.js';
import { removeLeftovers } from './leftovers.js';
import { Obstacles } from './obstacles.js';

const LEFTOVERS_INTERVAL = 60 * 60 * 1000;

/** Stores entries as files below one folder, which any number of processes may share. */
export class FsDriver implements CacheDriver {
  readonly #layout: CacheLayout;
  readonly #sync: boolean;
  readonly #context: DriverContext;
  readonly #folders: FolderTree;
  readonly #reader: EntryReader;
  readonly #writer: EntryWriter;
  readonly #limits: SpaceLimits;
  readonly #eviction: Eviction | undefined;
  #leftoversRemovedAt = Number.NEGATIVE_INFINITY;
  #running = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** @param config valid values: modes are octal digits. */
  constructor(config: FsConfig, context: DriverContext) {
    const { sync, maxSize, minFreeSpace } = config;
    const fileMode = Number.parseInt(config.fileMode, 8);
    const layout = new CacheLayout(config.root, config.bucket);
    const limits = { maxSize, minFreeSpace };
    this.#layout = layout;
    this.#sync = sync;
    this.#context = context;
    this.#limits = limits;
    if (layout.root === '/') {
      const message =
        'IMGPROXY_CACHE_FS_ROOT is "/": the cache shares the root of the file system with everything else';
      context.report({ kind: 'root-is-slash', level: 'warn', message });
    }
    const obstacles = new Obstacles((event) => context.report(event));
    const folderMode = Number.parseInt(config.folderMode, 8);
    this.#folders = new FolderTree(layout, { mode: folderMode, sync }, obstacles);
    const measureReplaced = maxSize > 0;
    const writing = { mode: fileMode, sync, measureReplaced };
    this.#writer = new EntryWriter(layout, this.#folders, writing, obstacles);
    if (maxSize > 0 || minFreeSpace > 0) {
      this.#eviction = new Eviction({
        limits,
        layout,
        folders: this.#folders,
        writer: this.#writer,
        context,
        fileMode,
      });
    }
    this.#reader = new EntryReader(this.#eviction?.uses, obstacles);
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
    const onRemoved =
      this.#limits.maxSize > 0 ? (bytes: number) => this.#eviction?.noteRemoved(bytes) : undefined;
    const removal = new EntryRemoval(names, {
      layout: this.#layout,
      folders: this.#folders,
      sync: this.#sync,
      onRemoved,
    });
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
      return { ok, findings: [...findings, ...(await checkSpace(this.#layout.root, this.#limits))] };
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#eviction?.stop();
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#eviction?.settle();
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
    const bytes = body.length + trailer.length;
    if (this.#limits.maxSize > 0 && bytes > this.#limits.maxSize)
      throw largerThanCache(name, bytes, this.#limits);
    this.#removeLeftovers();
    try {
      await this.#eviction?.waitForRoom();
      const replaced = await this.#writer.write(place, [body, trailer], signal);
      this.#eviction?.noteStored(name, bytes, bytes - replaced);
    } catch (error) {
      if (isFull(error)) this.#eviction?.makeRoomFor(bytes);
      if (isAbsence(error)) await this.#folders.assertRoot('put');
      throw await toWriteError(error, this.#layout.path(place), this.#layout.root);
    }
  }

  /** Runs in the background of the first put, and then at most once an hour. */
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

  /** Counts work as running until it settles, even if its caller has left. */
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

function largerThanCache(name: string, bytes: number, { maxSize }: SpaceLimits): CacheError {
  return fsError(
    'ERR_CACHE_TOO_LARGE',
    `cannot put ${name}: its ${bytes} bytes are more than IMGPROXY_CACHE_FS_MAX_SIZE, ${maxSize}`,
    'put',
  );
}

function closedError(operation: CacheOperation): CacheError {
  return fsError(
    'ERR_CACHE_CLOSED',
    `cannot ${operation}: the cache in the file system was closed`,
    operation,
  );
}
