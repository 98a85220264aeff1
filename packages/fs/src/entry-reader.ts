import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type BodySource,
  BufferedEntry,
  isCacheError,
  OperationGuard,
  RecentValues,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { decodeEntryFile, MAX_TRAILER_BYTES } from './entry-file.js';
import type { EntryUses } from './eviction/entry-uses.js';
import { close, closeUnwatched, fstat, lstat, open, read } from './fs-calls.js';
import { fsError, toCacheError } from './fs-errors.js';
import type { Obstacles } from './obstacles.js';
import { addYoungWeight } from './young-weight.js';

// Non-blocking, so that opening a FIFO cannot hang.
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

// Up to this size `get` reads the whole file; more would stay in memory for as long as its reader is slow.
const MAX_BUFFERED_BYTES = 1024 * 1024 + MAX_TRAILER_BYTES;
// Node 26 reads a small file in one round trip to its thread pool, where open and read take two; before, it takes four.
// Larger buffers of readFile cost more than the trip.
const MAX_READ_FILE_BYTES = Number.parseInt(process.versions.node, 10) >= 26 ? 64 * 1024 : 0;
// 256 KiB take half the CPU time of 64 KiB.
const CHUNK_BYTES = 256 * 1024;
// Node refuses to read more than 2^31 - 1 bytes in one call.
const MAX_READ_BYTES = 2 ** 30;

// About 3 MB of paths.
const MAX_REMEMBERED = 20_000;

/** Opens entry files. It remembers their sizes, which saves `lstat` and `fstat` as long as they stay right. */
export class EntryReader {
  readonly #sizes = new RecentValues<number>({ maxEntries: MAX_REMEMBERED });
  // Of its own, since bodies that were got can still be read after the driver has closed.
  readonly #guard = new OperationGuard('fs');
  readonly #uses: EntryUses | undefined;
  readonly #obstacles: Obstacles;

  /** @param uses records each hit. */
  constructor(uses: EntryUses | undefined, obstacles: Obstacles) {
    this.#uses = uses;
    this.#obstacles = obstacles;
  }

  /**
   * Opens an entry's file. `undefined` if a folder has the name, unless a put has found that it is in the way.
   * @throws CacheError for a file that is no entry; the operating system's error for one that cannot be read.
   */
  async read(path: string): Promise<StoredEntry | undefined> {
    const size = this.#sizes.get(path);
    if (size !== undefined) {
      try {
        const entry = await this.#open(path, size);
        this.#uses?.used(path);
        return entry;
      } catch (error) {
        this.#sizes.delete(path);
        if (isCacheError(error)) throw error;
        // Something else may be there now.
      }
    }
    const stats = await lstat(path);
    if (stats.isDirectory()) {
      this.#obstacles.assertUnknown(path);
      return undefined;
    }
    if (!stats.isFile()) throw irregular(path);
    const entry = await this.#open(path, stats.size);
    this.#uses?.used(path, stats.mtimeMs);
    return entry;
  }

  /** @param size as remembered: the file may have been replaced since. */
  async #open(path: string, size: number): Promise<StoredEntry> {
    const file = size <= MAX_BUFFERED_BYTES ? await readWhole(path, size) : undefined;
    if (file === undefined) return await this.#openStreamed(path);
    this.#sizes.set(path, file.length);
    const { metadata, bodyBytes } = decodeEntryFile(file, file.length, path);
    return new BufferedEntry(metadata, file.subarray(0, bodyBytes), false);
  }

  async #openStreamed(path: string): Promise<StoredEntry> {
    const fd = await open(path, READ_FLAGS);
    try {
      const stats = await fstat(fd);
      if (!stats.isFile()) throw irregular(path);
      const tail = Buffer.allocUnsafe(Math.min(stats.size, MAX_TRAILER_BYTES));
      await readFully(fd, tail, stats.size - tail.length, path);
      const { metadata, bodyBytes } = decodeEntryFile(tail, stats.size, path);
      this.#sizes.set(path, stats.size);
      return new StreamedEntry(metadata, new FileBody({ fd, size: bodyBytes, path, guard: this.#guard }));
    } catch (error) {
      closeUnwatched(fd);
      throw error;
    }
  }
}

/** Reads a file of `size` bytes; `undefined` if it is too large for one read or has another size. */
async function readWhole(path: string, size: number): Promise<Buffer | undefined> {
  addYoungWeight(size);
  if (size <= MAX_READ_FILE_BYTES) {
    const file = await readFile(path, { flag: READ_FLAGS });
    return file.length <= MAX_BUFFERED_BYTES ? file : undefined;
  }
  const fd = await open(path, READ_FLAGS);
  try {
    // One byte more shows whether the file is longer.
    const buffer = Buffer.allocUnsafeSlow(size + 1);
    const count = await read(fd, buffer, 0, buffer.length, 0);
    return count === size ? buffer.subarray(0, size) : undefined;
  } finally {
    closeUnwatched(fd);
  }
}

/** Fills `target` from `position` of a file. @throws CacheError if the file is shorter. */
export async function readFully(fd: number, target: Buffer, position: number, path: string): Promise<void> {
  for (let offset = 0; offset < target.length; ) {
    const count = await read(fd, target, offset, target.length - offset, position + offset);
    if (count === 0) throw truncated(path);
    offset += count;
  }
}

interface FileBodyParts {
  readonly fd: number;
  readonly size: number;
  readonly path: string;
  readonly guard: OperationGuard;
}

/** A body that is read on demand. The open descriptor survives an overwrite or a delete of the file. */
class FileBody implements BodySource {
  readonly #guard: OperationGuard;
  readonly #fd: number;
  readonly #size: number;
  readonly #path: string;
  #reading: Promise<number> | undefined;

  constructor({ fd, size, path, guard }: FileBodyParts) {
    this.#guard = guard;
    this.#fd = fd;
    this.#size = size;
    this.#path = path;
  }

  async bytes(signal: AbortSignal | undefined): Promise<Uint8Array> {
    const body = Buffer.allocUnsafeSlow(this.#size);
    for (let offset = 0; offset < body.length; ) {
      offset += await this.#read(body.subarray(offset, offset + MAX_READ_BYTES), offset, signal);
    }
    return body;
  }

  async *chunks(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    for (let position = 0; position < this.#size; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, this.#size - position));
      // Half the weight of a small body: with all of it, many slow readers would take a third more memory.
      addYoungWeight(chunk.length / 2);
      const count = await this.#read(chunk, position, signal);
      position += count;
      yield chunk.subarray(0, count);
    }
  }

  close(): Promise<void> {
    if (this.#reading === undefined) return close(this.#fd).catch(() => {});
    // An abandoned read still uses the descriptor: closed too early, its number could denote another file.
    const closeLate = (): void => closeUnwatched(this.#fd);
    this.#reading.then(closeLate, closeLate);
    return Promise.resolve();
  }

  async #read(target: Buffer, position: number, signal: AbortSignal | undefined): Promise<number> {
    const begin = (): Promise<number> => {
      this.#reading = read(this.#fd, target, 0, target.length, position);
      return this.#reading;
    };
    try {
      const count = await this.#guard.run('get', signal, begin);
      this.#reading = undefined;
      if (count === 0) throw truncated(this.#path);
      return count;
    } catch (thrown) {
      throw toCacheError(thrown, 'get', this.#path);
    }
  }
}

function irregular(path: string): Error {
  return fsError(
    'ERR_CACHE_CORRUPT',
    `${path} is not a regular file, and links are never followed: remove it`,
    'get',
  );
}

function truncated(path: string): Error {
  return fsError('ERR_CACHE_CORRUPT', `${path} became shorter while it was read`, 'get');
}
