import { CacheError } from '../driver/index.js';

/** The generation in every entry's name. A change to the layout of names or keys needs a new one. */
const NAME_GENERATION = 'v1';

const SOURCE_DIGITS = 32;
const ENTRY_NAME = /^([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]{32})-[0-9a-f]{64}$/;
const PREFIX_SEGMENT = /^[A-Za-z0-9!_.*'()@=+,:~-]+$/;
const MAX_PREFIX_LENGTH = 128;

/**
 * The names of a cache's entries: `<prefix>/v1/ab/cd/<source>-<whole>`, where `<source>` is 32 hexadecimal
 * digits of the source's hash, `ab` and `cd` its first four, and `<whole>` all 64 of the whole key's.
 * All variants of a source share a prefix, so purging needs no index.
 */
export class EntryNames {
  readonly #root: string;

  /**
   * @param prefix `IMGPROXY_CACHE_PATH_PREFIX`: slashes at its ends and double ones are ignored.
   * @throws CacheError `ERR_CACHE_CONFIG` for a prefix that could escape the root or that some store does not accept
   */
  constructor(prefix: string) {
    const fault = prefixFault(prefix);
    if (fault !== undefined) throw new CacheError('ERR_CACHE_CONFIG', fault, { operation: 'configure' });
    this.#root = [...prefixSegments(prefix), NAME_GENERATION, ''].join('/');
  }

  /** The name of an entry. */
  entry(sourceHash: string, wholeHash: string): string {
    return `${this.ofSource(sourceHash)}${wholeHash}`;
  }

  /** The prefix of all names of a source. */
  ofSource(sourceHash: string): string {
    return `${this.#root}${sourceHash.slice(0, 2)}/${sourceHash.slice(2, 4)}/${sourceHash.slice(0, SOURCE_DIGITS)}-`;
  }

  /** The name that drivers' checks use. No entry can have it. */
  get reserved(): string {
    return `${this.#root}check`;
  }

  /** Whether `name` has exactly the form of an entry's name. A purge deletes nothing else. */
  isEntry(name: string): boolean {
    if (!name.startsWith(this.#root)) return false;
    const match = ENTRY_NAME.exec(name.slice(this.#root.length));
    return match?.[3]?.startsWith(`${match[1]}${match[2]}`) === true;
  }
}

/** Describes what is wrong with a path prefix. `undefined`: nothing. */
export function prefixFault(prefix: string): string | undefined {
  const segments = prefixSegments(prefix);
  const wrong = segments.find(
    (segment) => segment === '.' || segment === '..' || !PREFIX_SEGMENT.test(segment),
  );
  if (wrong !== undefined) {
    return `${JSON.stringify(wrong)} cannot be part of the path prefix: use letters, digits and !_.*'()@=+,:~- between slashes, and neither "." nor ".."`;
  }
  const { length } = segments.join('/');
  return length > MAX_PREFIX_LENGTH
    ? `the path prefix has ${length} characters, at most ${MAX_PREFIX_LENGTH} are allowed`
    : undefined;
}

function prefixSegments(prefix: string): string[] {
  return prefix.split('/').filter((segment) => segment !== '');
}
