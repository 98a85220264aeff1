import type { CacheError } from '@imgproxy-cache/core/driver';
import { type CacheLayout, parentOf } from './cache-layout.js';
import { type FolderTree, syncFolder } from './folder-tree.js';
import { lstat, unlink } from './fs-calls.js';
import { isAbsence, toCacheError } from './fs-errors.js';

// More would only queue for Node's thread pool and delay other work.
const CONCURRENCY = 8;

/** What {@link EntryRemoval} works on. */
export interface RemovalOptions {
  readonly layout: CacheLayout;
  readonly folders: FolderTree;
  /** Whether a removal must survive a power failure. */
  readonly sync: boolean;
  /** Receives the size of each removed entry, in bytes. */
  readonly onRemoved: ((bytes: number) => void) | undefined;
}

/** Removes entries, and folders that become empty. */
export class EntryRemoval {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #sync: boolean;
  readonly #remaining: Set<string>;
  readonly #onRemoved: ((bytes: number) => void) | undefined;

  constructor(names: readonly string[], { layout, folders, sync, onRemoved }: RemovalOptions) {
    this.#layout = layout;
    this.#folders = folders;
    this.#sync = sync;
    this.#remaining = new Set(names);
    this.#onRemoved = onRemoved;
  }

  /** Names that may still be stored. */
  get remaining(): readonly string[] {
    return [...this.#remaining];
  }

  /** Removes all that can be removed. @throws CacheError the first failure. */
  async run(signal: AbortSignal | undefined): Promise<void> {
    const places = this.remaining.map((name) => [name, this.#layout.place(name)] as const);
    const absent: string[] = [];
    let failure: CacheError | undefined;
    const queue = places.values();
    const removeQueued = async (): Promise<void> => {
      for (const [name, place] of queue) {
        if (signal?.aborted) return;
        try {
          if (await this.#remove(place)) this.#remaining.delete(name);
          else absent.push(name);
        } catch (error) {
          failure ??= toCacheError(error, 'delete', this.#layout.path(place));
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, removeQueued));
    if (absent.length > 0) {
      // Of a disk that is not mounted nothing was removed.
      await this.#folders.assertRoot('delete');
      for (const name of absent) this.#remaining.delete(name);
    }
    if (failure !== undefined) throw failure;
  }

  /** False where there is no such entry. */
  async #remove(place: string): Promise<boolean> {
    const folder = parentOf(place);
    try {
      if (!(await this.#folders.find(folder, 'delete'))) return false;
      const path = this.#layout.path(place);
      const bytes = this.#onRemoved === undefined ? 0 : (await lstat(path)).size;
      await unlink(path);
      this.#onRemoved?.(bytes);
    } catch (error) {
      if (isAbsence(error)) return false;
      // A folder has the name: there is no such entry.
      if (await this.#folders.find(place, 'delete')) return false;
      throw error;
    }
    if (this.#sync) await syncFolder(this.#layout.path(folder));
    await this.#folders.removeEmpty(folder);
    return true;
  }
}
