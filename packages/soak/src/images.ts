import { SeededRandom } from './random.js';

/** One rendering of a source. Its bytes follow from these numbers. */
export interface ImageVersion {
  readonly source: number;
  readonly version: number;
  /** In bytes. */
  readonly size: number;
}

const POOL_BYTES = 8_000_000;
const ETAG = /^"(\d+)-(\d+)-(\d+)"$/;

const random = new SeededRandom(0);
const pool = Buffer.from(Uint32Array.from({ length: POOL_BYTES / 4 }, () => random.uint32()).buffer);

/** The bytes of an image: a window on one pool of random bytes, so that no two are alike and none has to be kept. */
export function bodyOf({ source, version, size }: ImageVersion): Buffer {
  const mixed = new SeededRandom(Math.imul(version, 0x9e3779b1) ^ source);
  const offset = mixed.below(POOL_BYTES - size);
  return pool.subarray(offset, offset + size);
}

/** Identifies an image without its bytes. It passes with the entry through cache, driver and store. */
export function etagOf({ source, version, size }: ImageVersion): string {
  return `"${source}-${version}-${size}"`;
}

/** The URL of a source. */
export function urlOf(source: number): string {
  return `https://images.example.com/${source}.jpg`;
}

/**
 * Says what is wrong with an image; `undefined` where nothing is.
 * @param source the one that was requested, where it is known
 */
export function problemOfImage(
  etag: string | undefined,
  body: Uint8Array,
  source?: number,
): string | undefined {
  const match = ETAG.exec(etag ?? '');
  if (match === null) return `an image with the ETag ${etag}, which none has`;
  const [shown, version, size] = match.slice(1).map(Number) as [number, number, number];
  if (source !== undefined && shown !== source) return `image ${shown} for a request for image ${source}`;
  const isRight = bodyOf({ source: shown, version, size }).equals(body);
  return isRight ? undefined : `${body.length} bytes that are not those of image ${etag}`;
}
