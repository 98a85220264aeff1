import {
  type CacheDriver,
  type CacheEntry,
  CacheError,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
  OperationGuard,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
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
  readonly #guard = new OperationGuard('fs');
  #leftoversRemovedAt = Number.NEGATIVE_INFINITY;

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
    return this.#guard.run(
      'get',
      signal,
      () => this.#read(name),
      (entry) => void entry?.discard(),
    );
  }

  put(name: string, entry: CacheEntry, { signal }: OperationOptions = {}): Promise<void> {
    return this.#guard.run('put', signal, (running) => this.#write(name, entry, running.signal));
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
      await this.#guard.run('delete', signal, (running) => removal.run(running.signal));
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
    const names = new EntryNames({
      layout: this.#layout,
      folders: this.#folders,
      guard: this.#guard,
      signal,
    });
    this.#guard.admit('list', signal);
    for await (const name of names.beginningWith(prefix)) {
      yield name;
      this.#guard.admit('list', signal);
    }
  }

  check({ signal }: OperationOptions = {}): Promise<DriverCheck> {
    return this.#guard.run('check', signal, async (running) => {
      const { ok, findings } = await checkRoundTrip(this, this.#context, { signal: running.signal });
      return { ok, findings: [...findings, ...(await checkSpace(this.#layout.root, this.#limits))] };
    });
  }

  async close(): Promise<void> {
    this.#eviction?.stop();
    await this.#guard.drain();
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

  async #write(name: string, { metadata, body }: CacheEntry, signal: AbortSignal): Promise<void> {
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
    void this.#guard.run('put', undefined, async () => {
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
}

function largerThanCache(name: string, bytes: number, { maxSize }: SpaceLimits): CacheError {
  return fsError(
    'ERR_CACHE_TOO_LARGE',
    `cannot put ${name}: its ${bytes} bytes are more than IMGPROXY_CACHE_FS_MAX_SIZE, ${maxSize}`,
    'put',
  );
}
