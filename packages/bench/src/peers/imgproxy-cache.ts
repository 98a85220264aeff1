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
import { imageBody } from '../bodies.js';
import { versionOf } from '../versions.js';

export const OUR_VERSION: string = versionOf('@imgproxy-cache/core');

// A cache with nothing but its own defaults; `env` adds to them.
export function openCache(env: Readonly<Record<string, string>>): Promise<ImageCache> {
  return createImageCache({
    env,
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

export function entryOf(index: number, bytes: number): ReturnType<typeof createEntry> {
  return createEntry(
    { name: nameOf(index), contentType: 'image/webp', created: Date.now() },
    imageBody(bytes, index),
  );
}

/** A driver on its own, without the cache around it. */
export function openDriver<T extends ConfigTable>(
  definition: CacheDriverDefinition<T>,
  config: Parameters<CacheDriverDefinition<T>['create']>[0],
): CacheDriver {
  return definition.create(config, { report: () => undefined, clock: systemClock, reservedName: 'v1/check' });
}
