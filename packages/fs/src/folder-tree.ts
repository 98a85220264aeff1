import { constants, type Stats } from 'node:fs';
import { type CacheError, type CacheOperation, RecentValues } from '@imgproxy-cache/core/driver';
import { type CacheLayout, parentOf } from './cache-layout.js';
import { chmod, close, fsync, lstat, mkdir, open, rmdir, stat } from './fs-calls.js';
import { errnoOf, fsError, isAbsence, toCacheError } from './fs-errors.js';
import type { Obstacles } from './obstacles.js';

// At least half as many are kept: all 65,536 + 256 folders of one prefix, and room for others.
const MAX_REMEMBERED = 150_000;

/** How folders are made. */
export interface FolderOptions {
  readonly mode: number;
  /** Whether a new folder must survive a power failure. */
  readonly sync: boolean;
}

/**
 * The folders below the root. Each is checked once, so that no path leads through a symbolic link, and then cached.
 * The cache may be stale: on ENOENT, call {@link forget} and try again.
 */
export class FolderTree {
  readonly #layout: CacheLayout;
  readonly #options: FolderOptions;
  readonly #obstacles: Obstacles;
  readonly #known = new RecentValues<true>({ maxEntries: MAX_REMEMBERED });

  constructor(layout: CacheLayout, options: FolderOptions, obstacles: Obstacles) {
    this.#layout = layout;
    this.#options = options;
    this.#obstacles = obstacles;
  }

  /** Whether a folder is cached as present. The root always is. */
  isKnown(place: string): boolean {
    return place === '' || this.#known.get(place) === true;
  }

  /**
   * Whether a folder exists.
   * @throws CacheError if it or a folder above it is a symbolic link; for a look-up also if a put has found
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
    this.#known.set(place, true);
    return true;
  }

  /**
   * Makes a folder and its parents, but never the root: a missing root may be a disk that is not mounted. Fails with
   * ENOENT if the root, or a parent made just before, is gone.
   * @throws CacheError if something else is in its place.
   */
  async make(place: string): Promise<void> {
    if (this.isKnown(place)) return;
    const parent = parentOf(place);
    await this.make(parent);
    const path = this.#layout.path(place);
    try {
      await mkdir(path, this.#options.mode);
      // mkdir has applied the umask.
      if (this.#options.mode !== 0o700) await chmod(path, this.#options.mode);
      if (this.#options.sync) await syncFolder(this.#layout.path(parent));
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      const stats = await lstat(path);
      if (!stats.isDirectory()) throw this.#inTheWay(stats, place, error);
    }
    this.#known.set(place, true);
  }

  /** Removes one empty folder. The errors are the operating system's. */
  async remove(place: string): Promise<void> {
    await rmdir(this.#layout.path(place));
    this.#known.delete(place);
  }

  /** Removes a folder and its parents up to the bucket, as long as they are empty. */
  async removeEmpty(place: string): Promise<void> {
    for (let folder = place; folder !== this.#layout.base; folder = parentOf(folder)) {
      try {
        await this.remove(folder);
      } catch {
        // Not empty, or already removed.
        return;
      }
    }
  }

  /** Drops the cache, which has proved stale. */
  forget(): void {
    this.#known.clear();
  }

  /** Drops the parents of a place from the cache. */
  forgetAbove(place: string): void {
    for (let folder = parentOf(place); folder !== ''; folder = parentOf(folder)) this.#known.delete(folder);
  }

  /**
   * Tells a missing entry from a missing cache.
   * @throws CacheError `ERR_CACHE_NO_BUCKET` if the root is missing or not a folder.
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

  /** The failure of a put that needs a folder where something else is. */
  #inTheWay(stats: Stats, place: string, cause: unknown): CacheError {
    const path = this.#layout.path(place);
    const { base, temporaryFolder } = this.#layout;
    // Without these two nothing at all can be stored: the whole store fails, not single entries.
    if (place !== base && place !== temporaryFolder) return this.#obstacles.noFolder(path, cause);
    return stats.isSymbolicLink() ? this.#linkError(place, 'put') : toCacheError(cause, 'put', path);
  }

  #linkError(place: string, operation: CacheOperation): CacheError {
    return fsError(
      // For a look-up, ERR_CACHE_UNSUPPORTED would mean an entry of a newer version.
      operation === 'get' ? 'ERR_CACHE_CORRUPT' : 'ERR_CACHE_UNSUPPORTED',
      `cannot ${operation} behind ${this.#layout.path(place)}: it is a symbolic link, and none is followed below the root: replace it by a folder`,
      operation,
    );
  }
}

/** Makes creations, renames and removals in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const fd = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await fsync(fd);
  } finally {
    await close(fd);
  }
}
