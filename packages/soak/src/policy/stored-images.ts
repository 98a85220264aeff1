import { CacheKeyBuilder } from '@imgproxy-cache/core';
import { type CacheDriver, createEntry } from '@imgproxy-cache/core/driver';
import type { SeededRandom } from '../seeded-random.js';
import { bodyOf, drawVersion, etagOf, urlOf } from './images.js';

const LANES = 16;
// As hosts without settings of their own make them.
const keys = new CacheKeyBuilder({ prefix: '', namespace: '', headers: [], cookies: [] });

/** Stores images of ever higher sources, up to so many bytes together, as hosts would have done. */
export async function storeImages(
  driver: CacheDriver,
  {
    bytes,
    largest,
    random,
  }: { readonly bytes: number; readonly largest: number; readonly random: SeededRandom },
): Promise<void> {
  let stored = 0;
  let sources = 0;
  const lane = async (): Promise<void> => {
    while (stored < bytes) {
      const image = drawVersion(sources, largest, random);
      sources += 1;
      stored += image.size;
      const { name } = keys.build({ source: urlOf(image.source) });
      const description = { name, contentType: 'image/webp', created: Date.now(), etag: etagOf(image) };
      await driver.put(name, createEntry(description, bodyOf(image)));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
