import { constants, type Stats } from 'node:fs';
import type { CacheError, CacheOperation } from '@imgproxy-cache/core/driver';
import { isAbsence } from './absence.js';
import { type CacheLayout, parentOf } from './cache-layout.js';
import { chmod, close, fsync, lstat, mkdir, open, rmdir, stat } from './fs-calls.js';
import { errnoOf, fsError, toCacheError } from './fs-errors.js';
import type { Obstacles } from './obstacles.js';

// All 65,536 + 256 folders of one prefix, and room for others.
const MAX_REMEMBERED = 100_000;

/** What a new folder gets. */
export interface FolderOptions {
  readonly mode: number;
  /** Whether a new folder must outlive a power failure. */
  readonly sync: boolean;
}

/**
 * The folders below the root. Each is looked at once, so that no path leads through a symbolic link, and then
 * remembered; the memory is a shortcut and never an answer: who meets ENOENT forgets it and asks again.
 */
export class FolderTree {
  readonly #layout: CacheLayout;
  readonly #options: FolderOptions;
  readonly #obstacles: Obstacles;
  readonly #known = new Set<string>();

  constructor(layout: CacheLayout, options: FolderOptions, obstacles: Obstacles) {
    this.#layout = layout;
    this.#options = options;
    this.#obstacles = obstacles;
  }

  /** Whether a folder was there when it was looked at last. The root counts as known. */
  isKnown(place: string): boolean {
    return place === '' || this.#known.has(place);
  }

  /**
   * Whether a folder is there.
   * @throws CacheError where a symbolic link is in its place or above it, and for a look-up where a put has met
   *   something else there.
   */
  async find(place: string, operation: CacheOperation): Promise<boolean> {
    if (this.isKnown(place)) return true;
    if (!(await this.find(parentOf(place), operation))) return false;
    let stats: Stats;
    try {
      stats = await lstat(this.#layout.path(place));
    } catch (error) {
      if (isAbsence(error)) return false;
      throw error;
    }
    if (stats.isSymbolicLink()) throw this.#linkError(place, operation);
    if (!stats.isDirectory()) {
      if (operation === 'get') this.#obstacles.assertUnknown(this.#layout.path(place));
      return false;
    }
    this.#remember(place);
    return true;
  }

  /**
   * Makes a folder and those above it, but never the root: it may be the empty place of a disk that is not
   * mounted. Where the root, or a folder made a moment ago, is gone, the error is ENOENT.
   * @throws CacheError where something else is in its place.
   */
  async make(place: string): Promise<void> {
    if (this.isKnown(place)) return;
    const parent = parentOf(place);
    await this.make(parent);
    const path = this.#layout.path(place);
    try {
      await mkdir(path, this.#options.mode);
      // The mode given to mkdir loses the bits of the umask, which takes none of the owner's.
      if (this.#options.mode !== 0o700) await chmod(path, this.#options.mode);
      if (this.#options.sync) await syncFolder(this.#layout.path(parent));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      const stats = await lstat(path);
      if (!stats.isDirectory()) throw this.#inTheWay(stats, place, error);
    }
    this.#remember(place);
  }

  /** Removes one empty folder. The errors are the operating system's. */
  async remove(place: string): Promise<void> {
    await rmdir(this.#layout.path(place));
    this.#known.delete(place);
  }

  /** Removes a folder, and those above it up to the bucket, as far as they are empty. */
  async removeEmpty(place: string): Promise<void> {
    for (let folder = place; folder !== this.#layout.base; folder = parentOf(folder)) {
      try {
        await this.remove(folder);
      } catch {
        // Not empty, or removed by somebody else: either way nothing is left to do.
        return;
      }
    }
  }

  /** Forgets all folders: what was remembered has proved wrong. */
  forget(): void {
    this.#known.clear();
  }

  /** Forgets the folders that lead to a place. */
  forgetAbove(place: string): void {
    for (let folder = parentOf(place); folder !== ''; folder = parentOf(folder)) this.#known.delete(folder);
  }

  /**
   * Tells an absent entry from an absent cache.
   * @throws CacheError `ERR_CACHE_NO_BUCKET` where the root is not there or not a folder.
   */
  async assertRoot(operation: CacheOperation): Promise<void> {
    const { root } = this.#layout;
    let present: boolean;
    try {
      present = (await stat(root)).isDirectory();
    } catch (error) {
      if (!isAbsence(error)) throw toCacheError(error, operation, root);
      present = false;
    }
    if (present) return;
    this.forget();
    throw fsError(
      'ERR_CACHE_NO_BUCKET',
      `cannot ${operation}: the cache's root ${root} is not there or not a folder: mount the disk or create the folder (IMGPROXY_CACHE_FS_ROOT)`,
      operation,
    );
  }

  #remember(place: string): void {
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.add(place);
  }

  /** What a put is told about something that is no folder. */
  #inTheWay(stats: Stats, place: string, cause: unknown): CacheError {
    const path = this.#layout.path(place);
    const { base, temporaryFolder } = this.#layout;
    // Without these two nothing at all can be stored: that is trouble of the store, and not of some entries.
    if (place !== base && place !== temporaryFolder) return this.#obstacles.noFolder(path, cause);
    return stats.isSymbolicLink() ? this.#linkError(place, 'put') : toCacheError(cause, 'put', path);
  }

  #linkError(place: string, operation: CacheOperation): CacheError {
    return fsError(
      // Of a look-up ERR_CACHE_UNSUPPORTED would say that a newer entry is there.
      operation === 'get' ? 'ERR_CACHE_CORRUPT' : 'ERR_CACHE_UNSUPPORTED',
      `cannot ${operation} behind ${this.#layout.path(place)}: it is a symbolic link, and none is followed below the root: replace it by a folder`,
      operation,
    );
  }
}

/** Makes what was created, renamed or removed in a folder outlive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const fd = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await fsync(fd);
  } finally {
    await close(fd);
  }
}
