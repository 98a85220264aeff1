import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  type BodySource,
  BufferedEntry,
  isCacheError,
  type StoredEntry,
  StreamedEntry,
} from '@imgproxy-cache/core/driver';
import { abortable, abortedError } from './abortable.js';
import { decodeEntryFile, MAX_TRAILER_BYTES } from './entry-file.js';
import type { EntryUses } from './eviction/entry-uses.js';
import { close, closeUnwatched, fstat, lstat, open, read } from './fs-calls.js';
import { fsError, toCacheError } from './fs-errors.js';
import type { Obstacles } from './obstacles.js';

// Without blocking, so that opening a FIFO that lies there cannot hang.
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

// Up to this size a file is read at once: more would hold up the memory of slow readers.
const MAX_BUFFERED_BYTES = 1024 * 1024 + MAX_TRAILER_BYTES;
const CHUNK_BYTES = 64 * 1024;
// Node refuses to read more than 2^31 - 1 bytes in one call.
const MAX_READ_BYTES = 2 ** 30;

// About 3 MB of paths.
const MAX_REMEMBERED = 20_000;

/**
 * Opens the files of entries. It remembers which ones were small, since Node reads a small file in one trip to the
 * thread pool where descriptors take four: a hint that costs nothing but a larger buffer once when it is wrong.
 */
export class EntryReader {
  readonly #small = new Set<string>();
  readonly #uses: EntryUses | undefined;
  readonly #obstacles: Obstacles;

  /** @param uses is told of every hit. */
  constructor(uses: EntryUses | undefined, obstacles: Obstacles) {
    this.#uses = uses;
    this.#obstacles = obstacles;
  }

  /**
   * Opens an entry's file. `undefined` where a folder has the name, unless a put has found that it is in the way.
   * @throws CacheError for what is not an entry; the operating system's error for what cannot be read.
   */
  async read(path: string): Promise<StoredEntry | undefined> {
    if (this.#small.has(path)) {
      try {
        const entry = await this.#readWhole(path);
        this.#uses?.used(path);
        return entry;
      } catch (error) {
        this.#small.delete(path);
        if (isCacheError(error)) throw error;
        // Look what has taken its place.
      }
    }
    const stats = await lstat(path);
    if (stats.isDirectory()) {
      this.#obstacles.assertUnknown(path);
      return undefined;
    }
    if (!stats.isFile()) throw irregular(path);
    const entry = stats.size <= MAX_BUFFERED_BYTES ? await this.#readWhole(path) : await openEntry(path);
    this.#uses?.used(path, stats.mtimeMs);
    return entry;
  }

  async #readWhole(path: string): Promise<StoredEntry> {
    const file = await readFile(path, { flag: READ_FLAGS });
    if (file.length > MAX_BUFFERED_BYTES) this.#small.delete(path);
    else this.#remember(path);
    const { metadata, bodyBytes } = decodeEntryFile(file, file.length, path);
    return new BufferedEntry(metadata, file.subarray(0, bodyBytes), false);
  }

  #remember(path: string): void {
    if (this.#small.size >= MAX_REMEMBERED) this.#small.clear();
    this.#small.add(path);
  }
}

async function openEntry(path: string): Promise<StoredEntry> {
  const fd = await open(path, READ_FLAGS);
  try {
    const stats = await fstat(fd);
    if (!stats.isFile()) throw irregular(path);
    const tail = Buffer.allocUnsafe(Math.min(stats.size, MAX_TRAILER_BYTES));
    await readFully(fd, tail, stats.size - tail.length, path);
    const { metadata, bodyBytes } = decodeEntryFile(tail, stats.size, path);
    return new StreamedEntry(metadata, new FileBody(fd, bodyBytes, path));
  } catch (error) {
    closeUnwatched(fd);
    throw error;
  }
}

/** Fills `target` with what the file holds from `position` on. @throws CacheError where the file is shorter. */
export async function readFully(fd: number, target: Buffer, position: number, path: string): Promise<void> {
  for (let offset = 0; offset < target.length; ) {
    const count = await read(fd, target, offset, target.length - offset, position + offset);
    if (count === 0) throw truncated(path);
    offset += count;
  }
}

/** A body that stays in its file until it is wanted. The open descriptor outlives an overwrite or a delete. */
class FileBody implements BodySource {
  readonly #fd: number;
  readonly #size: number;
  readonly #path: string;
  #reading: Promise<number> | undefined;

  constructor(fd: number, size: number, path: string) {
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
      const count = await this.#read(chunk, position, signal);
      position += count;
      yield chunk.subarray(0, count);
    }
  }

  close(): Promise<void> {
    if (this.#reading === undefined) return close(this.#fd).catch(() => {});
    // An abandoned read still uses the descriptor, whose number must not be given to another file before.
    const closeLate = (): void => closeUnwatched(this.#fd);
    this.#reading.then(closeLate, closeLate);
    return Promise.resolve();
  }

  async #read(target: Buffer, position: number, signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted) throw abortedError('get', signal);
    this.#reading = read(this.#fd, target, 0, target.length, position);
    try {
      const count = await abortable(this.#reading, signal, (reason) => abortedError('get', reason));
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
