import { readFile } from 'node:fs/promises';
import { isCacheError } from '@imgproxy-cache/core/driver';
import { decodeEntryFile, MAX_TRAILER_BYTES } from '../entry-file.js';
import { READ_FLAGS, readFully } from '../entry-reader.js';
import { closeUnwatched, open } from '../fs-calls.js';
import { isAbsence } from '../fs-errors.js';
import type { FoundFile, OnFailure } from './folder-walk.js';

const MAX_FORMS = 1024;
const MAX_SMALL_BYTES = 64 * 1024;

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
      return await isEntryFile(file);
    } catch (error) {
      this.#onFailure(error, file.path);
      return false;
    }
  }
}

/** Whether a file is the entry of its name, and in a format that this software knows. */
export async function isEntryFile({ name, path, bytes }: FoundFile): Promise<boolean> {
  try {
    // Small files take one pool round trip, a descriptor takes three.
    const tail =
      bytes <= MAX_SMALL_BYTES ? await readFile(path, { flag: READ_FLAGS }) : await readTail(path, bytes);
    return decodeEntryFile(tail, bytes, path).metadata.name === name;
  } catch (error) {
    // Replaced or removed meanwhile, or not an entry.
    if (isCacheError(error) || isAbsence(error)) return false;
    throw error;
  }
}

async function readTail(path: string, bytes: number): Promise<Buffer> {
  const fd = await open(path, READ_FLAGS);
  try {
    const tail = Buffer.allocUnsafe(Math.min(bytes, MAX_TRAILER_BYTES));
    await readFully(fd, tail, bytes - tail.length, path);
    return tail;
  } finally {
    closeUnwatched(fd);
  }
}
