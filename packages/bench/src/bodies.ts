/** How many different images a contestant has: more than one, few enough to stay in the page cache. */
export const IMAGES = 64;

/** How many of this size: of large ones, only a few fit. */
export function imagesOf(bytes: number): number {
  return bytes > 1_000_000 ? 8 : IMAGES;
}

/** The bytes of an image that no compression or deduplication makes small. */
export function imageBody(bytes: number, index: number): Buffer {
  const body = Buffer.allocUnsafe(bytes);
  let state = (index + 1) * 2_654_435_761;
  for (let offset = 0; offset < bytes; offset++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    body[offset] = state >>> 24;
  }
  return body;
}
