import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheDriver } from '@imgproxy-cache/core/driver';
import { expect } from 'vitest';
import { entryOf, namesIn } from './cache-folder.js';

export const BODY: Buffer = Buffer.alloc(10_000, 7);
/** What a hundred entries of that body take, metadata included, and a little more. */
export const LIMIT = 100 * 10_500;

export const TEMPORARY_FOLDER = '.imgproxy-cache-tmp';

// A count, an eviction: what happens in the background, on a machine that is busy with other things too.
const PATIENCE = { timeout: 60_000, interval: 50 };

/** A name as the cache makes them. */
export function hashedName(key: string | number, prefix = 'v1'): string {
  const hash = createHash('sha256').update(String(key)).digest('hex');
  return `${prefix}/${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash.slice(0, 32)}-${hash}`;
}

export function someNames(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => hashedName(`${what} ${index}`));
}

export async function putAll(driver: CacheDriver, names: readonly string[]): Promise<void> {
  for (const name of names) await driver.put(name, entryOf(name, BODY));
}

/** How many of the names are stored. */
export async function storedOf(driver: CacheDriver, names: readonly string[]): Promise<number> {
  const stored = new Set(await namesIn(driver, ''));
  return names.filter((name) => stored.has(name)).length;
}

/** Bytes of all files below a folder but for the unfinished ones and what processes know of each other. */
export async function storedBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const item of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, item.name);
    if (item.isDirectory() && item.name !== TEMPORARY_FOLDER) bytes += await storedBytes(path);
    if (item.isFile()) bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/** What processes know of each other. */
export function bookkeeping(root: string): Promise<string[]> {
  return readdir(join(root, TEMPORARY_FOLDER));
}

/** Waits until the files take no more than `limit` bytes. */
export async function heldWithin(root: string, limit: number): Promise<void> {
  await expect.poll(() => storedBytes(root), PATIENCE).toBeLessThanOrEqual(limit);
}

/** Waits until something of the background holds. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, PATIENCE).toBe(true);
}
