import { resolve } from 'node:path';
import { assertEntryName, CacheError } from '@imgproxy-cache/core/driver';

/** The folder of temporary files, beside the entries. */
export const TEMPORARY_FOLDER = '.imgproxy-cache-tmp';

/**
 * Paths of the cache: `<root>/<bucket>/<name>`. A *place* is a path relative to the root, `<bucket>/<name>`; folders
 * above the root belong to the operator and are never checked.
 */
export class CacheLayout {
  readonly root: string;
  /** The place of the bucket; blank without one. */
  readonly base: string;
  readonly #rootPrefix: string;
  readonly #basePrefix: string;

  constructor(root: string, bucket: string) {
    this.root = resolve(root);
    this.base = bucket;
    this.#rootPrefix = this.root === '/' ? '/' : `${this.root}/`;
    this.#basePrefix = bucket === '' ? '' : `${bucket}/`;
  }

  /** The place of the folder of temporary files. */
  get temporaryFolder(): string {
    return `${this.#basePrefix}${TEMPORARY_FOLDER}`;
  }

  /** The absolute path of a place. */
  path(place: string): string {
    return place === '' ? this.root : this.#rootPrefix + place;
  }

  /** The place of an entry. @throws CacheError `ERR_CACHE_UNSUPPORTED` for an invalid name. */
  place(name: string): string {
    assertEntryName(name);
    if (isTemporary(name)) {
      throw new CacheError(
        'ERR_CACHE_UNSUPPORTED',
        `an entry cannot be named ${JSON.stringify(name)}: ${TEMPORARY_FOLDER} is the folder of temporary files`,
        { driver: 'fs' },
      );
    }
    return this.#basePrefix + name;
  }

  /** The place of a folder of entries; `''` is the folder of all entries. */
  folderPlace(folder: string): string {
    return folder === '' ? this.base : this.#basePrefix + folder;
  }
}

/** Whether a name is in the folder of temporary files. */
export function isTemporary(name: string): boolean {
  return name === TEMPORARY_FOLDER || name.startsWith(`${TEMPORARY_FOLDER}/`);
}

/** The parent folder of a place; blank for the root. */
export function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('/')));
}
