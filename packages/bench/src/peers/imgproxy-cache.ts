import { type CacheRequest, createImageCache, type ImageCache, type Render } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  type CacheDriverDefinition,
  type ConfigTable,
  createEntry,
  systemClock,
} from '@imgproxy-cache/core/driver';
import fs from '@imgproxy-cache/fs';
import memory from '@imgproxy-cache/memory';
import s3 from '@imgproxy-cache/s3';
import { IMAGES, imageBody, imagesOf } from '../bodies.js';
import type { Contestant, Workload } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';
import { versionOf } from '../versions.js';

export const OUR_VERSION: string = versionOf('@imgproxy-cache/core');

// A cache with nothing but its own defaults; `env` adds to them. On a busy machine no hit may be late and count as a miss.
export function openCache(env: Readonly<Record<string, string>>): Promise<ImageCache> {
  return createImageCache({
    env: { IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '30', ...env },
    drivers: [fs, memory, s3],
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
}

/** The request of image `index`, as a host makes it. */
export function requestOf(index: number): CacheRequest {
  return {
    source: `https://images.example.com/catalogue/2026/photo-${index}.jpg`,
    options: [
      ['height', '200'],
      ['resizing_type', 'fill'],
      ['width', '300'],
    ],
    format: 'webp',
  };
}

export function renderer(body: Uint8Array): Render {
  return () => ({ body, contentType: 'image/webp' });
}

export function nameOf(index: number): string {
  const hash = index.toString(16).padStart(64, '0');
  return `v1/${hash.slice(-2)}/${hash.slice(-4, -2)}/${hash.slice(0, 32)}-${hash}`;
}

/** As the cache names entries: spread over 65,536 folders. */
export function spreadName(index: number): string {
  return nameOf((index * 40_503) % 2 ** 32);
}

export function entryOf(index: number, bytes: number): ReturnType<typeof createEntry> {
  return createEntry(
    { name: nameOf(index), contentType: 'image/webp', created: Date.now() },
    imageBody(bytes, index),
  );
}

/** Where a cache keeps its entries. */
interface Store {
  readonly env: Readonly<Record<string, string>>;
  close?(): Promise<void>;
}

export const inMemory = async (): Promise<Store> => ({
  env: {
    IMGPROXY_CACHE_USE: 'memory',
    IMGPROXY_CACHE_MEMORY_MAX_SIZE: '1000000000',
    IMGPROXY_CACHE_MEMORY_MAX_ENTRIES: '100000',
  },
});

export const onFiles = async (): Promise<Store> => {
  const folder = await temporaryFolder();
  return { env: { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: folder.path }, close: folder.remove };
};

/** A cache that stores an image before it serves it, so that a store is over when `fetch` is. */
async function openFilled(
  openStore: () => Promise<Store>,
  bytes: number,
  images: number,
): Promise<{ readonly cache: ImageCache; close(): Promise<void> }> {
  const { env, close } = await openStore();
  const cache = await openCache({ ...env, IMGPROXY_CACHE_REPORT_ERRORS: '1' });
  for (let index = 0; index < images; index++) {
    await cache.fetch(requestOf(index), renderer(imageBody(bytes, index)));
  }
  return {
    cache,
    async close() {
      await cache.close();
      await close?.();
    },
  };
}

function miss(): never {
  throw new Error('a miss where a hit was expected');
}

/** A hit through `ImageCache.fetch`, as bytes or as a stream that is read to its end. */
export function fetchHit(options: {
  readonly name: string;
  readonly openStore: () => Promise<Store>;
  readonly images?: number;
  readonly isStreamed?: boolean;
}): Contestant {
  const { name, openStore, isStreamed = false } = options;
  return {
    name,
    version: OUR_VERSION,
    settings: 'defaults: key, policy, metadata and CRC-32 checked',
    async open(bytes) {
      const images = options.images ?? imagesOf(bytes);
      const { cache, close } = await openFilled(openStore, bytes, images);
      const requests = Array.from({ length: images }, (_, index) => requestOf(index));
      return {
        async run(index) {
          // The host makes a request of its own each time.
          const { image } = await cache.fetch({ ...(requests[index % images] as CacheRequest) }, miss);
          return isStreamed ? await drain(image.stream()) : await image.bytes();
        },
        close,
      };
    },
  };
}

/** A miss and its store through `ImageCache.fetch`. Each image is a new one. */
export function fetchAndStore(
  name: string,
  settings: string,
  openStore: (bytes: number, scale: number) => Promise<Store>,
): Contestant {
  return {
    name,
    version: OUR_VERSION,
    settings,
    async open(bytes, scale): Promise<Workload> {
      const { cache, close } = await openFilled(() => openStore(bytes, scale), bytes, 0);
      const bodies = Array.from({ length: IMAGES }, (_, index) => renderer(imageBody(bytes, index)));
      return {
        run: (index) => cache.fetch(requestOf(index), bodies[index % IMAGES] as Render),
        close,
      };
    },
  };
}

/** Reads a stream to its end. @returns its length */
export async function drain(stream: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

/** A driver on its own, without the cache around it. */
export function openDriver<T extends ConfigTable>(
  definition: CacheDriverDefinition<T>,
  config: Parameters<CacheDriverDefinition<T>['create']>[0],
): CacheDriver {
  return definition.create(config, { report: () => undefined, clock: systemClock, reservedName: 'v1/check' });
}
