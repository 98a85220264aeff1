import type { Dir, Dirent } from 'node:fs';
import { isEntryName } from '@imgproxy-cache/core/driver';
import { type CacheLayout, isTemporary } from './cache-layout.js';
import type { FolderTree } from './folder-tree.js';
import { lstat, opendir, readdir } from './fs-calls.js';

/** A regular file below the cache's folder; whose it is nobody has looked at yet. */
export interface FoundFile {
  /** The name of the entry that would be there. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** When it was written or marked as used, in milliseconds since the Unix epoch. */
  readonly usedAt: number;
}

/** Receives what the operating system said about a file or folder that is passed over then. */
export type ReportTrouble = (error: unknown, path: string) => void;

// Folders that wait to be visited: past this number the walk goes into the depth and not into the width.
const MAX_WIDTH = 1024;
// Of some 1,000 entries. One that is larger is not read at once, but stays open while its files are looked at.
const MAX_FOLDER_BYTES = 128 * 1024;
const BATCH = 1024;

/**
 * One walk over all files below the cache's folder. Folders come in random order, so that any stretch of the walk is
 * a fair sample of the whole. It holds the paths of some 1,000 folders and of 1,024 files at a time, and beyond that
 * those of the subfolders of one folder.
 */
export class FolderWalk {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #report: ReportTrouble;
  readonly #waiting = [''];
  readonly #listings = new Set<Promise<unknown>>();
  #begun: Promise<boolean> | undefined;

  constructor(layout: CacheLayout, folders: FolderTree, report: ReportTrouble) {
    this.#layout = layout;
    this.#folders = folders;
    this.#report = report;
  }

  /** Files of the folders that no other lane has taken; several lanes may walk at a time. */
  async *lane(signal: AbortSignal): AsyncGenerator<FoundFile, void, undefined> {
    this.#begun ??= this.#folders.find(this.#layout.base, 'list');
    if (!(await this.#begun)) return;
    for (let folder = await this.#next(); folder !== undefined; folder = await this.#next()) {
      yield* this.#filesOf(folder);
      if (signal.aborted) return;
    }
  }

  async #next(): Promise<string | undefined> {
    while (this.#waiting.length === 0 && this.#listings.size > 0) await Promise.race(this.#listings);
    const index = this.#waiting.length < MAX_WIDTH ? Math.floor(Math.random() * this.#waiting.length) : -1;
    const last = this.#waiting.pop();
    const taken = this.#waiting[index];
    if (taken === undefined || last === undefined) return last;
    this.#waiting[index] = last;
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
    for (const item of items) {
      const name = nameIn(folder, item);
      if (item.isDirectory() && isEntryName(name) && !isTemporary(name)) this.#waiting.push(name);
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

  /** A step of reading a folder, which may bring subfolders: lanes that have nothing to do wait for it. */
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
      this.#report(error, path);
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
