import type { CacheError, DriverContext } from '@imgproxy-cache/core/driver';
import { fsError } from './fs-errors.js';

const MAX_REMEMBERED = 1000;

const FULL_FOLDER = 'a folder that cannot be removed is where an entry belongs';
const NO_FOLDER = 'something that is no folder is where a folder of entries belongs';

/**
 * Foreign files and folders that block the path of an entry and cannot be replaced. Only a put can detect them: to a
 * look-up, a folder at the path of an entry may hold entries with longer names. Each is reported once and remembered,
 * so that later look-ups tell it from a miss.
 */
export class Obstacles {
  readonly #report: DriverContext['report'];
  readonly #paths = new Set<string>();

  constructor(report: DriverContext['report']) {
    this.#report = report;
  }

  /** Whether a put has found an obstacle at a path. It may be gone by now. */
  isKnown(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Records a folder that is not empty at the path of an entry. @returns the failure of the put. */
  fullFolder(path: string, cause: unknown): CacheError {
    return this.#record(path, FULL_FOLDER, cause);
  }

  /** Records something else at the path of a folder. @returns the failure of the put. */
  noFolder(path: string, cause: unknown): CacheError {
    return this.#record(path, NO_FOLDER, cause);
  }

  /** For a look-up that finds a wrong type of file. @throws CacheError if a put has found an obstacle there. */
  assertUnknown(path: string): void {
    if (this.#paths.has(path)) {
      throw fsError('ERR_CACHE_CORRUPT', `cannot get ${path} or what is below: ${adviceOn(path)}`, 'get');
    }
  }

  /** Notes that a path is free again: an entry has been stored there. */
  forget(path: string): void {
    this.#paths.delete(path);
  }

  #record(path: string, what: string, cause: unknown): CacheError {
    const message = `${what}: ${adviceOn(path)}`;
    if (!this.#paths.has(path)) {
      const [oldest] = this.#paths;
      if (this.#paths.size >= MAX_REMEMBERED && oldest !== undefined) this.#paths.delete(oldest);
      this.#paths.add(path);
      this.#report({ kind: 'place-taken', level: 'warn', message });
    }
    return fsError('ERR_CACHE_CORRUPT', `cannot put: ${message}`, 'put', cause);
  }
}

function adviceOn(path: string): string {
  return `${path} does not belong to the cache and is left alone: move it away, or choose another IMGPROXY_CACHE_PATH_PREFIX`;
}
