import type { Stats } from 'node:fs';
import { isCacheError } from '@imgproxy-cache/core/driver';
import { decodeEntryFile, MAX_TRAILER_BYTES } from '../entry-file.js';
import { READ_FLAGS, readFully } from '../entry-reader.js';
import { closeUnwatched, fstat, open } from '../fs-calls.js';
import { errnoOf, isAbsence } from '../fs-errors.js';
import type { FoundFile, OnFailure } from './folder-walk.js';

const MAX_FORMS = 1024;

/** Tells entries from other programs' files below the same root. */
export class OwnEntries {
  readonly #onFailure: OnFailure;
  readonly #forms = new Set<string>();

  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure;
  }

  /**
   * Whether a file counts as an entry. Names are hashes: once one file has proved to be an entry, files whose names
   * differ only in hexadecimal digits count unread.
   */
  async include(file: FoundFile): Promise<boolean> {
    const form = file.name.replace(/[0-9a-f]/g, '0');
    if (this.#forms.has(form)) return true;
    if (!(await this.#isReadableEntry(file))) return false;
    if (this.#forms.size < MAX_FORMS) this.#forms.add(form);
    return true;
  }

  async #isReadableEntry(file: FoundFile): Promise<boolean> {
    try {
      return (await inspectEntry(file)) !== undefined;
    } catch (error) {
      this.#onFailure(error, file.path);
      return false;
    }
  }
}

/**
 * Reads the end of a file.
 * @returns its status; `undefined` unless it is the entry of its name, in a format that this software knows.
 */
export async function inspectEntry({
  name,
  path,
}: Pick<FoundFile, 'name' | 'path'>): Promise<Stats | undefined> {
  try {
    const fd = await open(path, READ_FLAGS);
    try {
      const stats = await fstat(fd);
      if (!stats.isFile()) return undefined;
      const tail = Buffer.allocUnsafe(Math.min(stats.size, MAX_TRAILER_BYTES));
      await readFully(fd, tail, stats.size - tail.length, path);
      return decodeEntryFile(tail, stats.size, path).metadata.name === name ? stats : undefined;
    } finally {
      closeUnwatched(fd);
    }
  } catch (error) {
    // Replaced by something else or removed meanwhile, or not an entry.
    if (isCacheError(error) || isAbsence(error) || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  }
}
