import type { Dir, Dirent } from 'node:fs';
import { isEntryName, type OperationGuard } from '@imgproxy-cache/core/driver';
import { type CacheLayout, isTemporary, parentOf } from './cache-layout.js';
import type { FolderTree } from './folder-tree.js';
import { opendir } from './fs-calls.js';
import { toCacheError, unlessAbsent } from './fs-errors.js';

export interface EntryNamesParts {
  readonly layout: CacheLayout;
  readonly folders: FolderTree;
  readonly guard: OperationGuard;
  readonly signal: AbortSignal | undefined;
}

/** Lists names of entries. Reads only folders that can hold the prefix, and keeps only the current path open. */
export class EntryNames {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #guard: OperationGuard;
  readonly #signal: AbortSignal | undefined;

  constructor({ layout, folders, guard, signal }: EntryNamesParts) {
    this.#layout = layout;
    this.#folders = folders;
    this.#guard = guard;
    this.#signal = signal;
  }

  async *beginningWith(prefix: string): AsyncGenerator<string, void, undefined> {
    const folder = parentOf(prefix);
    if (folder !== '' && (!isEntryName(folder) || isTemporary(folder))) return;
    const place = this.#layout.folderPlace(folder);
    const path = this.#layout.path(place);
    const found = await this.#step(() => this.#folders.find(place, 'list'), path);
    if (!found) {
      await this.#step(() => this.#folders.assertRoot('list'), path);
      return;
    }
    yield* this.#within(folder, prefix);
  }

  async *#within(folder: string, prefix: string): AsyncGenerator<string, void, undefined> {
    const path = this.#layout.path(this.#layout.folderPlace(folder));
    const directory = await this.#open(path);
    if (directory === undefined) return;
    try {
      for (let item = await this.#next(directory); item !== null; item = await this.#next(directory)) {
        const name = folder === '' ? item.name : `${folder}/${item.name}`;
        if (!name.startsWith(prefix) || !isEntryName(name) || isTemporary(name)) continue;
        if (item.isDirectory()) yield* this.#within(name, prefix);
        else if (item.isFile()) yield name;
      }
    } finally {
      // A read that hangs delays the close, so it is not awaited.
      closeDirectory(directory);
    }
  }

  async #open(path: string): Promise<Dir | undefined> {
    // A concurrent delete may have removed the empty folder.
    const directory = await this.#step(() => unlessAbsent(opendir(path)), path, closeDirectory);
    // A missing root is a failure.
    if (directory === undefined) await this.#step(() => this.#folders.assertRoot('list'), path);
    return directory;
  }

  #next(directory: Dir): Promise<Dirent | null> {
    return this.#step(() => directory.read(), directory.path);
  }

  async #step<Value>(
    work: () => Promise<Value>,
    path: string,
    onLate?: (value: Value) => void,
  ): Promise<Value> {
    try {
      return await this.#guard.run('list', this.#signal, work, onLate);
    } catch (thrown) {
      throw toCacheError(thrown, 'list', path);
    }
  }
}

function closeDirectory(directory: Dir | undefined): void {
  directory?.close().catch(() => {});
}
