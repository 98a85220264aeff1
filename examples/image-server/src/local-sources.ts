import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { HttpError } from '@imgproxy-cache/http';
import { imageError } from './image-error.js';

const SCHEME = 'local:///';
const MAX_SOURCE_BYTES = 100 * 1024 * 1024;
const IMAGE_FILE = /\.(?:avif|gif|jpe?g|png|svg|tiff?|webp)$/i;

// A pipe would block an ordinary open until somebody writes into it.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const ABSENCE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENXIO']);

/** The files below one folder, and nothing outside it. */
export class LocalSources {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Names of the image files directly in the folder, in alphabetical order. */
  async list(limit: number): Promise<string[]> {
    const entries = await readdir(this.#root, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && IMAGE_FILE.test(entry.name))
      .map(({ name }) => name)
      .sort()
      .slice(0, limit);
  }

  /**
   * @param url such as `local:///folder/name.jpg`; absent where it is not valid UTF-8
   * @throws HttpError
   */
  async read(url: string | undefined, signal: AbortSignal): Promise<Uint8Array> {
    if (!url?.startsWith(SCHEME))
      throw new HttpError(404, `Invalid source URL: only ${SCHEME} sources are served`, 'source not local');
    try {
      await using file = await open(await this.#locate(url.slice(SCHEME.length)), OPEN_FLAGS);
      const stats = await file.stat();
      if (!stats.isFile()) throw imageError.unreachable('the source is no regular file');
      if (stats.size > MAX_SOURCE_BYTES) throw imageError.broken(`the source has ${stats.size} bytes`);
      return await file.readFile({ signal });
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      throw ABSENCE.has(code) ? imageError.unreachable(`the source cannot be opened (${code})`) : error;
    }
  }

  /** The file's real path: where symbolic links lead to counts, and not where they lie. */
  async #locate(name: string): Promise<string> {
    const parts = name.split('/');
    if (name.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..'))
      throw imageError.unreachable('the path of the source is not a plain one');
    const root = await realpath(this.#root);
    const file = await realpath(path.join(root, ...parts));
    if (path.relative(root, file).split(path.sep)[0] === '..')
      throw imageError.unreachable('the source lies outside the folder of sources');
    return file;
  }
}
