import { readFile } from 'node:fs/promises';
import { isCacheError } from '@imgproxy-cache/core/driver';
import { isAbsence } from './absence.js';
import { decodeEntryFile, MAX_TRAILER_BYTES } from './entry-file.js';
import { READ_FLAGS, readFully } from './entry-reader.js';
import type { FoundFile, ReportTrouble } from './folder-walk.js';
import { closeUnwatched, open } from './fs-calls.js';

const MAX_FORMS = 1024;
const MAX_SMALL_BYTES = 64 * 1024;

/** Tells entries from files that others keep below the same root. */
export class OwnEntries {
  readonly #report: ReportTrouble;
  readonly #forms = new Set<string>();

  constructor(report: ReportTrouble) {
    this.#report = report;
  }

  /**
   * Whether a file counts as an entry. Entries are named by hashes: where one has proved to be an entry, those whose
   * names differ in nothing but hexadecimal digits count unread.
   */
  async include(file: FoundFile): Promise<boolean> {
    const form = file.name.replace(/[0-9a-f]/g, '0');
    if (this.#forms.has(form)) return true;
    if (!(await this.#isReadableEntry(file))) return false;
    if (this.#forms.size < MAX_FORMS) this.#forms.add(form);
    return true;
  }

  /** What cannot be read cannot be known as an entry. */
  async #isReadableEntry(file: FoundFile): Promise<boolean> {
    try {
      return await isEntryFile(file);
    } catch (error) {
      this.#report(error, file.path);
      return false;
    }
  }
}

/** Whether a file is the entry of its name, and in a format that this software knows. */
export async function isEntryFile({ name, path, bytes }: FoundFile): Promise<boolean> {
  try {
    // One trip to the thread pool for a small file, where a descriptor takes three.
    const tail =
      bytes <= MAX_SMALL_BYTES ? await readFile(path, { flag: READ_FLAGS }) : await readTail(path, bytes);
    return decodeEntryFile(tail, bytes, path).metadata.name === name;
  } catch (error) {
    // Replaced or removed meanwhile, or somebody else's.
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
