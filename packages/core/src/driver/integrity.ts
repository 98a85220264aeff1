import { crc32 } from 'node:zlib';
import { CacheError } from './cache-error.js';
import type { CacheEntry, OperationOptions, StoredEntry } from './contract.js';
import type { EntryMetadata } from './entry-metadata.js';

/** The metadata that {@link createEntry} cannot compute itself. */
export type EntryDescription = Omit<EntryMetadata, 'size' | 'crc32'>;

/** Makes an entry of an image: adds the size and the CRC-32 of its body to the metadata. */
export function createEntry(description: EntryDescription, body: Uint8Array): CacheEntry {
  return { metadata: { ...description, size: body.length, crc32: crc32(body) }, body };
}

/**
 * Compares the name in an entry's metadata with the one under which it was found.
 * @throws CacheError `ERR_CACHE_CORRUPT` if they differ, because the entry was copied
 */
export function verifyName(metadata: EntryMetadata, name: string): void {
  if (metadata.name !== name) {
    throw corrupt(name, `it was stored under the name ${metadata.name}`);
  }
}

/**
 * Compares a whole body with its metadata.
 * @throws CacheError `ERR_CACHE_CORRUPT`
 */
export function verifyBody(metadata: EntryMetadata, body: Uint8Array): void {
  if (body.length !== metadata.size) {
    throw corrupt(metadata.name, `its body has ${body.length} bytes instead of ${metadata.size}`);
  }
  if (crc32(body) !== metadata.crc32) throw corrupt(metadata.name, 'its body does not have its CRC-32');
}

/**
 * Reads and verifies a whole body, which consumes the entry.
 * @throws CacheError `ERR_CACHE_CORRUPT`
 */
export function readVerified(entry: StoredEntry, options?: OperationOptions): Promise<Uint8Array> {
  const body = entry.bytes(options);
  return entry.verified === true ? body : verified(entry.metadata, body);
}

async function verified(metadata: EntryMetadata, reading: Promise<Uint8Array>): Promise<Uint8Array> {
  const body = await reading;
  verifyBody(metadata, body);
  return body;
}

/**
 * Streams a body while verifying it. The last chunk is held back until size and CRC-32 match, so that the stream of a
 * corrupt body never ends cleanly.
 * @throws CacheError `ERR_CACHE_CORRUPT`
 */
export async function* streamVerified(
  entry: StoredEntry,
  options?: OperationOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const body = new HeldBackBody(entry.metadata);
  for await (const chunk of entry.stream(options)) {
    const earlier = body.take(chunk);
    if (earlier !== undefined) yield earlier;
  }
  const last = body.end();
  if (last !== undefined) yield last;
}

/** Verifies a body chunk by chunk. The last chunk is held back until size and CRC-32 match. */
export class HeldBackBody {
  readonly #metadata: EntryMetadata;
  #size = 0;
  #checksum = 0;
  #held: Uint8Array | undefined;

  constructor(metadata: EntryMetadata) {
    this.#metadata = metadata;
  }

  /**
   * @returns the chunk before, if there is one
   * @throws CacheError `ERR_CACHE_CORRUPT`
   */
  take(chunk: Uint8Array): Uint8Array | undefined {
    if (chunk.length === 0) return undefined;
    this.#size += chunk.length;
    this.#checksum = crc32(chunk, this.#checksum);
    if (this.#size > this.#metadata.size) throw this.#wrongSize();
    const earlier = this.#held;
    this.#held = chunk;
    return earlier;
  }

  /**
   * @returns the last chunk, if there is one
   * @throws CacheError `ERR_CACHE_CORRUPT`
   */
  end(): Uint8Array | undefined {
    const { name, size, crc32: expected } = this.#metadata;
    if (this.#size !== size) throw this.#wrongSize();
    if (this.#checksum !== expected) throw corrupt(name, 'its body does not have its CRC-32');
    return this.#held;
  }

  #wrongSize(): CacheError {
    const { name, size } = this.#metadata;
    return corrupt(name, `its body does not have ${size} bytes`);
  }
}

function corrupt(name: string, problem: string): CacheError {
  return new CacheError('ERR_CACHE_CORRUPT', `entry ${name} is corrupt: ${problem}`, { operation: 'get' });
}
