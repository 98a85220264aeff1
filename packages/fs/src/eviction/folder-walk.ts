import type { Dir, Dirent } from 'node:fs';
import { isEntryName } from '@imgproxy-cache/core/driver';
import { type CacheLayout, isTemporary } from '../cache-layout.js';
import type { FolderTree } from '../folder-tree.js';
import { lstat, opendir, readdir } from '../fs-calls.js';

/** A regular file below the cache's folder, not yet known to be an entry. */
export interface FoundFile {
  /** The name of the entry that would be there. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was written or marked as used, in milliseconds since the Unix epoch. */
  readonly usedAt: number;
}

/** Receives the error of a file or folder that is then skipped. */
export type OnFailure = (error: unknown, path: string) => void;

// With this many folders, each becomes a branch that is walked to its end before the next.
const ENOUGH_BRANCHES = 32;
// About 1,000 entries. A larger folder is read in parts and stays open meanwhile.
const MAX_FOLDER_BYTES = 128 * 1024;
const BATCH = 1024;

/**
 * One walk over all files below the cache's folder. It visits branches in random order, so that any stretch is a fair
 * sample, and finishes each branch at once, since it would miss folders created later. It holds the paths of the
 * branches, of pending subfolders, and of at most 1,024 files of a folder at a time.
 */
export class FolderWalk {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #onFailure: OnFailure;
  readonly #branches = [''];
  readonly #inBranch: string[] = [];
  #isBranched = false;
  readonly #listings = new Set<Promise<unknown>>();
  #begun: Promise<boolean> | undefined;

  constructor(layout: CacheLayout, folders: FolderTree, onFailure: OnFailure) {
    this.#layout = layout;
    this.#folders = folders;
    this.#onFailure = onFailure;
  }

  /** Yields the files of folders that no other lane has taken. Lanes may run concurrently. */
  async *lane(signal: AbortSignal): AsyncGenerator<FoundFile, void, undefined> {
    this.#begun ??= this.#folders.find(this.#layout.base, 'list');
    if (!(await this.#begun)) return;
    for (let folder = await this.#next(); folder !== undefined; folder = await this.#next()) {
      yield* this.#filesOf(folder);
      if (signal.aborted) return;
    }
  }

  async #next(): Promise<string | undefined> {
    while (this.#inBranch.length === 0 && this.#branches.length === 0 && this.#listings.size > 0) {
      await Promise.race(this.#listings);
    }
    return this.#inBranch.pop() ?? this.#takeBranch();
  }

  #takeBranch(): string | undefined {
    this.#isBranched ||= this.#branches.length >= ENOUGH_BRANCHES;
    const index = Math.floor(Math.random() * this.#branches.length);
    const last = this.#branches.pop();
    const taken = this.#branches[index];
    if (taken === undefined || last === undefined) return last;
    this.#branches[index] = last;
    return taken;
  }

  async *#filesOf(folder: string): AsyncGenerator<FoundFile, void, undefined> {
    const path = this.#layout.path(this.#layout.folderPlace(folder));
    const stats = await this.#list(lstat(path), path);
    if (!stats?.isDirectory()) return;
    if (stats.size <= MAX_FOLDER_BYTES) {
      const items = await this.#list(readdir(path), path, (listed) => this.#noteFolders(folder, listed));
      yield* this.#look(folder, items ?? []);
      return;
    }
    const directory = await this.#list(opendir(path), path);
    if (directory === undefined) return;
    try {
      for (let more = true; more; ) {
        const batch = nextItems(directory);
        const items = await this.#list(batch, path, (listed) => this.#noteFolders(folder, listed));
        more = items?.length === BATCH;
        yield* this.#look(folder, items ?? []);
      }
    } finally {
      await directory.close();
    }
  }

  #noteFolders(folder: string, items: readonly Dirent[]): void {
    const found = this.#isBranched ? this.#inBranch : this.#branches;
    for (const item of items) {
      const name = nameIn(folder, item);
      if (item.isDirectory() && isEntryName(name) && !isTemporary(name)) found.push(name);
    }
  }

  async *#look(folder: string, items: readonly Dirent[]): AsyncGenerator<FoundFile, void, undefined> {
    for (const item of items) {
      const name = nameIn(folder, item);
      if (!item.isFile() || !isEntryName(name) || isTemporary(name)) continue;
      const path = this.#layout.path(this.#layout.folderPlace(name));
      const stats = await this.#attempt(lstat(path), path);
      if (!stats?.isFile()) continue;
      yield { name, path, bytes: stats.size, usedAt: stats.mtimeMs };
    }
  }

  /** Reads a folder. Idle lanes wait for it, since it may bring subfolders. */
  async #list<Value>(
    step: Promise<Value>,
    path: string,
    onListed?: (value: Value) => void,
  ): Promise<Value | undefined> {
    const listing = this.#attempt(step, path).then((value) => {
      if (value !== undefined) onListed?.(value);
      return value;
    });
    this.#listings.add(listing);
    try {
      return await listing;
    } finally {
      this.#listings.delete(listing);
    }
  }

  async #attempt<Value>(step: Promise<Value>, path: string): Promise<Value | undefined> {
    try {
      return await step;
    } catch (error) {
      this.#onFailure(error, path);
      return undefined;
    }
  }
}

function nameIn(folder: string, item: Dirent): string {
  return folder === '' ? item.name : `${folder}/${item.name}`;
}

async function nextItems(directory: Dir): Promise<Dirent[]> {
  const items: Dirent[] = [];
  while (items.length < BATCH) {
    const item = await directory.read();
    if (item === null) break;
    items.push(item);
  }
  return items;
}
