import type { CacheError, DriverContext } from '@imgproxy-cache/core/driver';
import { fsError } from './fs-errors.js';

const MAX_REMEMBERED = 1000;

const FULL_FOLDER = 'a folder that cannot be removed is where an entry belongs';
const NO_FOLDER = 'something that is no folder is where a folder of entries belongs';

/**
 * What lies in the place of an entry or of a folder of entries, is not the cache's, and cannot be replaced. Only a
 * put finds out: to a look-up alone, a folder in the place of an entry may be one of entries with longer names. What
 * a put has met is remembered, so that look-ups tell it from a miss, and reported once.
 */
export class Obstacles {
  readonly #report: DriverContext['report'];
  readonly #paths = new Set<string>();

  constructor(report: DriverContext['report']) {
    this.#report = report;
  }

  /** Whether a put has met something at a path. It may be gone by now. */
  isKnown(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Notes what a put has met. @returns the failure of the put. */
  fullFolder(path: string, cause: unknown): CacheError {
    return this.#met(path, FULL_FOLDER, cause);
  }

  /** Notes what a put has met. @returns the failure of the put. */
  noFolder(path: string, cause: unknown): CacheError {
    return this.#met(path, NO_FOLDER, cause);
  }

  /** For a look-up that finds a folder, or no folder, at a path. @throws CacheError where a put has met it. */
  assertUnknown(path: string): void {
    if (this.#paths.has(path)) {
      throw fsError('ERR_CACHE_CORRUPT', `cannot get ${path} or what is below: ${adviceOn(path)}`, 'get');
    }
  }

  /** Notes that an entry has been stored at a path. */
  forget(path: string): void {
    this.#paths.delete(path);
  }

  #met(path: string, what: string, cause: unknown): CacheError {
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
  return `${path} is somebody else's and is left alone: move it away, or choose another IMGPROXY_CACHE_PATH_PREFIX`;
}
