import { CacheError } from './cache-error.js';

const SEGMENT = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/;
// Also the limit of a metadata field, which stores the name.
const MAX_NAME_LENGTH = 256;

/** Whether `name` is a valid entry name: see `CacheDriver`. */
export function isEntryName(name: string): boolean {
  return (
    name.length <= MAX_NAME_LENGTH &&
    name.split('/').every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
  );
}

/**
 * Drivers call it first, so that an invalid name never reaches a store.
 * @throws CacheError `ERR_CACHE_UNSUPPORTED`
 */
export function assertEntryName(name: string): void {
  if (!isEntryName(name)) {
    throw new CacheError(
      'ERR_CACHE_UNSUPPORTED',
      `${JSON.stringify(name.slice(0, 80))} is not an entry's name: it takes 1 to ${MAX_NAME_LENGTH} printable ASCII characters in segments of at most 200, none of them empty, "." or ".."`,
    );
  }
}
