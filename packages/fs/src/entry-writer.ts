import { constants } from 'node:fs';
import { type CacheLayout, parentOf } from './cache-layout.js';
import { type FolderTree, syncFolder } from './folder-tree.js';
import { close, closeUnwatched, fchmod, fsync, lstat, open, rename, unlink, writev } from './fs-calls.js';
import { errnoOf, unlessAbsent } from './fs-errors.js';
import type { Obstacles } from './obstacles.js';
import { TemporaryNames } from './temporary-names.js';

const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

// A concurrent delete may remove the empty folder before each rename.
const MAX_RENAMES = 8;
const MAX_NAME_COLLISIONS = 8;

export interface WriteOptions {
  readonly mode: number;
  /** Whether a write must survive a power failure. */
  readonly sync: boolean;
  /** Whether to measure the file that is replaced. */
  readonly measureReplaced?: boolean;
}

/** Writes files atomically: under a temporary name first, renamed when complete. */
export class EntryWriter {
  readonly #layout: CacheLayout;
  readonly #folders: FolderTree;
  readonly #options: WriteOptions;
  readonly #obstacles: Obstacles;
  readonly #names = new TemporaryNames();

  constructor(layout: CacheLayout, folders: FolderTree, options: WriteOptions, obstacles: Obstacles) {
    this.#layout = layout;
    this.#folders = folders;
    this.#options = options;
    this.#obstacles = obstacles;
  }

  /**
   * Writes the concatenation of `parts` to the file at `place`. Errors are the operating system's.
   * @returns the size of the replaced file if that is measured, else 0.
   * @throws CacheError if something that cannot be replaced is in the way.
   */
  async write(place: string, parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<number> {
    try {
      return await this.#writeOnce(place, parts, signal);
    } catch (error) {
      // A remembered folder or the root was removed, and may have been made again or replaced.
      const errno = errnoOf(error);
      if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
      this.#folders.forget();
      return await this.#writeOnce(place, parts, signal);
    }
  }

  async #writeOnce(
    place: string,
    parts: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<number> {
    if (this.#obstacles.isKnown(this.#layout.path(place))) {
      // Fails before anything is written if the place is still taken.
      await this.#folders.make(parentOf(place));
      await this.#removeFolder(place);
    }
    const { path, fd } = await this.#createTemporary();
    let replaced: number;
    try {
      await this.#fill(fd, parts, signal);
      replaced = await this.#moveIntoPlace(path, place, signal);
    } catch (error) {
      await unlink(path).catch(() => {});
      throw error;
    }
    if (this.#options.sync) await syncFolder(this.#layout.path(parentOf(place)));
    return replaced;
  }

  async #createTemporary(): Promise<{ path: string; fd: number }> {
    await this.#folders.make(this.#layout.temporaryFolder);
    for (let attempt = 1; ; attempt += 1) {
      const path = this.#layout.path(`${this.#layout.temporaryFolder}/${await this.#names.next()}`);
      try {
        return { path, fd: await open(path, CREATE_FLAGS, this.#options.mode) };
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST' || attempt === MAX_NAME_COLLISIONS) throw error;
      }
    }
  }

  /** Always closes the descriptor, before the rename: some file systems report a failed write at close. */
  async #fill(fd: number, parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void> {
    try {
      // At creation the umask removed bits for group and others.
      if (this.#options.mode !== 0o600) await fchmod(fd, this.#options.mode);
      for (let rest = parts; rest.length > 0; ) {
        signal?.throwIfAborted();
        rest = withoutFirst(rest, await writev(fd, rest));
      }
      if (this.#options.sync) await fsync(fd);
    } catch (error) {
      closeUnwatched(fd);
      throw error;
    }
    await close(fd);
  }

  async #moveIntoPlace(path: string, place: string, signal: AbortSignal | undefined): Promise<number> {
    const target = this.#layout.path(place);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#folders.make(parentOf(place));
        signal?.throwIfAborted();
        const replaced = this.#options.measureReplaced ? await unlessAbsent(lstat(target)) : undefined;
        await rename(path, target);
        this.#obstacles.forget(target);
        return replaced?.size ?? 0;
      } catch (error) {
        const errno = errnoOf(error);
        if ((errno !== 'ENOENT' && errno !== 'EISDIR') || attempt === MAX_RENAMES) throw error;
        if (errno === 'EISDIR') await this.#removeFolder(place);
        else this.#folders.forgetAbove(place);
      }
    }
  }

  /** Removes an empty folder that is in the place of a file. One that is not empty stays. */
  async #removeFolder(place: string): Promise<void> {
    try {
      await unlessAbsent(this.#folders.remove(place));
    } catch (error) {
      throw this.#obstacles.fullFolder(this.#layout.path(place), error);
    }
  }
}

function withoutFirst(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let remaining = count;
  const rest: Uint8Array[] = [];
  for (const part of parts) {
    if (remaining < part.length) rest.push(part.subarray(remaining));
    remaining = Math.max(0, remaining - part.length);
  }
  return rest;
}
