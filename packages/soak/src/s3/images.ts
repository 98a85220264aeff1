import { SeededRandom } from '../seeded-random.js';
import type { Version } from './journal.js';

const SIZES = [
  { weight: 2, least: 0, most: 0 },
  { weight: 50, least: 1, most: 5000 },
  { weight: 30, least: 5000, most: 60_000 },
  { weight: 15, least: 60_000, most: 400_000 },
  { weight: 3, least: 1_000_000, most: 4_000_000 },
] as const;
const POOL_BYTES = 6_000_000;
const SUBJECTS = 1000;

/**
 * The bodies of all versions. A body is a window on one pool of random bytes, chosen by the version: it is told from all
 * others without being kept.
 */
export class Images {
  readonly #seed: number;
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #created = 0;

  constructor(seed: number) {
    this.#seed = seed;
    const random = new SeededRandom(seed);
    for (let offset = 0; offset < POOL_BYTES; offset += 4) this.#pool.writeUInt32LE(random.uint32(), offset);
  }

  /** A version that nobody has yet, of one of less than {@link SUBJECTS} subjects. */
  create(subject: number): Version {
    this.#created += 1;
    return this.#created * SUBJECTS + subject;
  }

  bodyOf(version: Version): Buffer {
    const random = new SeededRandom(this.#seed ^ Math.imul(version, 0x9e3779b1));
    const { least, most } = random.pick(SIZES);
    const size = least + random.below(most - least + 1);
    const offset = random.below(POOL_BYTES - size);
    return this.#pool.subarray(offset, offset + size);
  }

  /** What a version is of. */
  subjectOf(version: Version): number {
    return version % SUBJECTS;
  }

  /** Whether these are the bytes of a version that was made. */
  isBodyOf(version: Version, bytes: Uint8Array): boolean {
    const count = Math.floor(version / SUBJECTS);
    return count > 0 && count <= this.#created && this.bodyOf(version).equals(bytes);
  }
}
