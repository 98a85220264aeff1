import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CacheDriver,
  type CacheEntry,
  type CacheErrorCode,
  type Clock,
  createEntry,
  type DriverEvent,
  type EntryDescription,
  systemClock,
} from '@imgproxy-cache/core/driver';
import { type FsConfig, FsDriver } from '@imgproxy-cache/fs';
import { expect, onTestFinished } from 'vitest';

export const RESERVED_NAME = 'images/v1/check';

/** A new folder that goes away with the test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imgproxy-cache-fs-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function configFor(root: string, changes: Partial<FsConfig> = {}): FsConfig {
  return {
    root,
    bucket: '',
    sync: false,
    fileMode: '0600',
    folderMode: '0700',
    maxSize: 0,
    minFreeSpace: 0,
    ...changes,
  };
}

export interface OpenCache {
  readonly driver: FsDriver;
  readonly root: string;
  readonly events: readonly DriverEvent[];
}

/** A driver on a folder, closed with the test. */
export async function openCache(
  changes: Partial<FsConfig> = {},
  clock: Clock = systemClock,
): Promise<OpenCache> {
  const root = changes.root ?? (await newFolder());
  const events: DriverEvent[] = [];
  const driver = new FsDriver(configFor(root, changes), {
    report: (event) => void events.push(event),
    clock,
    reservedName: RESERVED_NAME,
  });
  onTestFinished(() => driver.close());
  return { driver, root, events };
}

export function entryOf(
  name: string,
  body: Uint8Array = Buffer.from(`body of ${name}`),
  changes: Partial<EntryDescription> = {},
): CacheEntry {
  return createEntry({ name, contentType: 'image/webp', created: 1_700_000_000_000, ...changes }, body);
}

/** The body of an entry as it is stored now; `undefined` is a miss. */
export async function bodyOf(driver: CacheDriver, name: string): Promise<Buffer | undefined> {
  const entry = await driver.get(name);
  return entry === undefined ? undefined : Buffer.from(await entry.bytes());
}

export async function namesIn(driver: CacheDriver, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of driver.list(prefix)) names.push(name);
  return names.sort();
}

export async function expectCode(operation: Promise<unknown>, code: CacheErrorCode): Promise<void> {
  await expect(operation).rejects.toMatchObject({ name: 'CacheError', code });
}
