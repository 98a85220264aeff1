import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  type CacheDriver,
  type CacheEntry,
  type ConfigValues,
  createEntry,
  type DriverContext,
  readVerified,
  systemClock,
} from '@imgproxy-cache/core/driver';
import sqlite from 'imgproxy-cache-driver-sqlite';
import { onTestFinished } from 'vitest';

/** Where a test may have a database; there is none yet. */
export async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-driver-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'cache.db');
}

/** A driver on a file, closed with the test at the latest. */
export function openDriver(
  file: string,
  changes: Partial<ConfigValues<typeof sqlite.config>> = {},
  context: Partial<DriverContext> = {},
): CacheDriver {
  const driver = sqlite.create(
    { file, busyTimeout: 5, keepReplaced: 300, ...changes },
    { clock: systemClock, reservedName: 'check', report: () => undefined, ...context },
  );
  onTestFinished(() => driver.close());
  return driver;
}

/** Does something behind the driver's back. */
export function withDatabase<Result>(file: string, work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** An image of one byte over and over. */
export function imageOf(name: string, byte: number, size = 1000): CacheEntry {
  return createEntry({ name, contentType: 'image/webp', created: 1 }, Buffer.alloc(size, byte));
}

/** The first byte of an image that was verified whole; `undefined` for a miss. */
export async function firstByte(driver: CacheDriver, name: string): Promise<number | undefined> {
  const found = await driver.get(name);
  return found && (await readVerified(found))[0];
}
