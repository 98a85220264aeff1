import type { CacheError } from '@imgproxy-cache/core/driver';
import { isAbsence } from './absence.js';
import { type CacheLayout, parentOf } from './cache-layout.js';
import { type FolderTree, syncFolder } from './folder-tree.js';
import { lstat, unlink } from './fs-calls.js';
import { toCacheError } from './fs-errors.js';

// More would only queue up before the four threads that Node keeps for files, and keep other work waiting.
const CONCURRENCY = 8;

/** Removes entries, and the folders that are empty then. */
export class EntryRemoval {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #sync: boolean;
  readonly #remaining: Set<string>;
  readonly #onRemoved: ((bytes: number) => void) | undefined;

  /** @param onRemoved wants to know the size of each entry that was removed. */
  constructor(
    layout: CacheLayout,
    folders: FolderTree,
    sync: boolean,
    names: readonly string[],
    onRemoved: ((bytes: number) => void) | undefined,
  ) {
    this.#layout = layout;
    this.#folders = folders;
    this.#sync = sync;
    this.#remaining = new Set(names);
    this.#onRemoved = onRemoved;
  }

  /** Those that may still be stored. */
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
