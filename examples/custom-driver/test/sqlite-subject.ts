import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { checkDriver, systemClock } from '@imgproxy-cache/core/driver';
import type { DriverSubject } from '@imgproxy-cache/driver-testkit';
import sqlite from 'imgproxy-cache-driver-sqlite';

/** The driver as the contract suite wants it: a new database for every rule, and ways to do things behind its back. */
export const subject: DriverSubject<typeof sqlite.config> = {
  definition: sqlite,
  module: import.meta.resolve('imgproxy-cache-driver-sqlite'),
  async prepare() {
    const folder = await mkdtemp(join(tmpdir(), 'sqlite-driver-'));
    const disk = join(folder, 'disk');
    await mkdir(disk);
    const config = { file: join(disk, 'cache.db'), busyTimeout: 30, keepReplaced: 300 };
    return {
      config,
      async foreign(name) {
        // A stranger, too, needs the tables.
        const context = { clock: systemClock, reservedName: 'check', report: () => undefined };
        const driver = sqlite.create(config, context);
        await checkDriver(driver, context);
        await driver.close();
        using database = new DatabaseSync(config.file);
        database.prepare("INSERT INTO entry (name, fields) VALUES (?, 'not an entry')").run(name);
      },
      async tamper(name, change) {
        using database = new DatabaseSync(config.file);
        const entry = database.prepare('SELECT id FROM entry WHERE name = ? AND replaced IS NULL').get(name);
        const id = Number(entry?.['id']);
        const chunks = database.prepare('SELECT bytes FROM chunk WHERE entry = ? ORDER BY position').all(id);
        const body = change(Buffer.concat(chunks.map(({ bytes }) => bytes as Uint8Array)));
        database.prepare('DELETE FROM chunk WHERE entry = ?').run(id);
        database.prepare('INSERT INTO chunk (entry, position, bytes) VALUES (?, 0, ?)').run(id, body);
      },
      outage: () => rename(disk, join(folder, 'unmounted')),
      outageCode: 'ERR_CACHE_NO_BUCKET',
      async stall() {
        // Writers wait for the lock; readers of a database with a write-ahead log wait for nobody.
        const database = new DatabaseSync(config.file);
        database.exec('BEGIN IMMEDIATE');
        return () => database.close();
      },
      dispose: () => rm(folder, { recursive: true }),
    };
  },
};
