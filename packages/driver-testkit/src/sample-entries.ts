import { type CacheEntry, createEntry, type EntryDescription } from '@imgproxy-cache/core/driver';
import { SeededRandom } from './seeded-random.js';

export const MEGABYTE = 1024 * 1024;

const BLOCK_BYTES = 16 * 1024;

/** Bytes like those of an image: all values occur, blocks differ, and each `seed` gives another body. */
export function sampleBody(size: number, seed = 1): Buffer {
  const block = new SeededRandom(seed).bytes(Math.min(size, BLOCK_BYTES));
  const body = Buffer.alloc(size, block);
  for (let offset = BLOCK_BYTES; offset + 4 <= size; offset += BLOCK_BYTES)
    body.writeUInt32LE(offset, offset);
  return body;
}

/** An ordinary entry. */
export function sampleEntry(
  name: string,
  body: Uint8Array = sampleBody(1000),
  details: Partial<EntryDescription> = {},
): CacheEntry {
  return createEntry({ name, contentType: 'image/webp', created: 1_700_000_000_000, ...details }, body);
}

/** An entry whose `created` and body identify its version. */
export function versionedEntry(name: string, version: number, size: number): CacheEntry {
  return sampleEntry(name, sampleBody(size, version), { created: version });
}
