import { createHash } from 'node:crypto';
import type { SeededRandom } from '../seeded-random.js';

/** What an image shows, which rendering of it this is, and how large it is: its bytes follow from these. */
export interface ImageVersion {
  readonly source: number;
  readonly version: number;
  /** In bytes. */
  readonly size: number;
}

const ETAG = /^"(\d+)-(\d+)-(\d+)"$/;

/** The next rendering of a source, of a size up to `largest`. */
export function drawVersion(source: number, largest: number, random: SeededRandom): ImageVersion {
  return { source, version: random.uint32(), size: 1 + random.below(largest) };
}

/** The bytes of an image. All others differ from them in every 32 bytes. */
export function bodyOf({ source, version, size }: ImageVersion): Buffer {
  const pattern = createHash('sha256').update(`${source} ${version}`).digest();
  return Buffer.alloc(size, pattern);
}

/** What is known of a body without reading it; it travels with it through cache, driver and store. */
export function etagOf({ source, version, size }: ImageVersion): string {
  return `"${source}-${version}-${size}"`;
}

/** The URL of a source. */
export function urlOf(source: number): string {
  return `https://images.example.com/${source}.jpg`;
}

/**
 * What is wrong with an image, in words; `undefined` where nothing is.
 * @param source what was asked for, where that is known
 */
export function problemOfImage(
  etag: string | undefined,
  body: Uint8Array,
  source: number | undefined,
): string | undefined {
  const match = ETAG.exec(etag ?? '');
  if (match === null) return `an image with the ETag ${etag}, which none has`;
  const [shown, version, size] = match.slice(1).map(Number) as [number, number, number];
  if (source !== undefined && shown !== source) return `image ${shown} for a request for image ${source}`;
  const right = bodyOf({ source: shown, version, size });
  return right.equals(body) ? undefined : `${body.length} bytes that are not those of image ${etag}`;
}
