import { resolve } from 'node:path';
import { assertEntryName, CacheError } from '@imgproxy-cache/core/driver';

/** The folder, beside the entries, of files that are still being written. */
export const TEMPORARY_FOLDER = '.imgproxy-cache-tmp';

/**
 * Where everything lies: `<root>/<bucket>/<name>`. Paths below the root are also called by their part behind
 * it, `<bucket>/<name>`, since what is above the root is the operator's and not looked at.
 */
export class CacheLayout {
  readonly root: string;
  /** The bucket's folder, behind the root; blank without a bucket. */
  readonly base: string;
  readonly #rootPrefix: string;
  readonly #basePrefix: string;

  constructor(root: string, bucket: string) {
    this.root = resolve(root);
    this.base = bucket;
    this.#rootPrefix = this.root === '/' ? '/' : `${this.root}/`;
    this.#basePrefix = bucket === '' ? '' : `${bucket}/`;
  }

  /** The folder of unfinished files, behind the root. */
  get temporaryFolder(): string {
    return `${this.#basePrefix}${TEMPORARY_FOLDER}`;
  }

  /** The absolute path of what lies at `place` behind the root. */
  path(place: string): string {
    return place === '' ? this.root : this.#rootPrefix + place;
  }

  /** Where, behind the root, an entry lies. @throws CacheError `ERR_CACHE_UNSUPPORTED` for what is no name. */
  place(name: string): string {
    assertEntryName(name);
    if (isTemporary(name)) {
      throw new CacheError(
        'ERR_CACHE_UNSUPPORTED',
        `an entry cannot be named ${JSON.stringify(name)}: ${TEMPORARY_FOLDER} is the folder of unfinished files`,
        { driver: 'fs' },
      );
    }
    return this.#basePrefix + name;
  }

  /** Where, behind the root, a folder of entries lies: `''` is that of all. */
  folderPlace(folder: string): string {
    return folder === '' ? this.base : this.#basePrefix + folder;
  }
}

/** Whether a name begins with the folder of unfinished files. */
export function isTemporary(name: string): boolean {
  return name === TEMPORARY_FOLDER || name.startsWith(`${TEMPORARY_FOLDER}/`);
}

/** The folder of a path without its last part; blank where there is only one. */
export function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('/')));
}
