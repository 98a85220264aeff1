import { CacheError, type DriverEvent } from '@imgproxy-cache/core/driver';
import { Connection } from './connection.js';

/** A body is stored in pieces of so many bytes, and read piece by piece. */
const CHUNK_BYTES = 256 * 1024;

/** Most names of one page of a list. */
export const PAGE_NAMES = 1000;

// A store that follows a large purge shall take no longer than others.
const MOST_REMOVED = 100;

export interface DatabaseOptions {
  readonly file: string;
  /** How long a write waits for those of other processes, in seconds. */
  readonly busyTimeout: number;
  /** How long a replaced version stays readable, in seconds. */
  readonly keepReplaced: number;
}

export interface FoundEntry {
  /** Of this version of the entry: the one that replaces it has another. */
  readonly id: number;
  /** The metadata as it was stored. */
  readonly fields: string;
}

/** Entries in an SQLite database. Every call blocks its thread; it throws what SQLite throws, or a CacheError. */
export class EntryDatabase {
  readonly #options: DatabaseOptions;
  readonly #report: (event: DriverEvent) => void;
  #connection: Connection | undefined;

  constructor(options: DatabaseOptions, report: (event: DriverEvent) => void) {
    this.#options = options;
    this.#report = report;
  }

  find(name: string): FoundEntry | undefined {
    const found = this.#connect()
      .sql('SELECT id, fields FROM entry WHERE name = ? AND replaced IS NULL')
      .get(name);
    return found && { id: Number(found['id']), fields: String(found['fields']) };
  }

  readChunk(id: number, position: number): Uint8Array {
    const found = this.#connect()
      .sql('SELECT bytes FROM entry LEFT JOIN chunk ON chunk.entry = id AND position = ? WHERE id = ?')
      .get(position, id);
    if (found === undefined) {
      throw new CacheError(
        'ERR_CACHE_UNAVAILABLE',
        'the image was replaced and removed while it was read: if that happens often, raise IMGPROXY_CACHE_SQLITE_KEEP_REPLACED_SECONDS',
      );
    }
    const bytes = found['bytes'];
    if (bytes instanceof Uint8Array) return bytes;
    throw new CacheError('ERR_CACHE_CORRUPT', `piece ${position} of the image is not in the database`);
  }

  put(name: string, fields: string, body: Uint8Array, now: number): void {
    this.#write(now, (connection) => {
      replace(connection, name, now);
      const { lastInsertRowid } = connection
        .sql('INSERT INTO entry (name, fields) VALUES (?, ?)')
        .run(name, fields);
      const insert = connection.sql('INSERT INTO chunk (entry, position, bytes) VALUES (?, ?, ?)');
      for (let position = 0; position * CHUNK_BYTES < body.length; position += 1) {
        const chunk = body.subarray(position * CHUNK_BYTES, (position + 1) * CHUNK_BYTES);
        insert.run(lastInsertRowid, position, chunk);
      }
    });
  }

  /** All of them or, where it throws, none. */
  delete(names: readonly string[], now: number): void {
    this.#write(now, (connection) => {
      for (const name of names) replace(connection, name, now);
    });
  }

  /** The first names, at most {@link PAGE_NAMES} of them, from `first` on and before `end`, in order. */
  list(first: string, end: string): string[] {
    return this.#connect()
      .sql('SELECT name FROM entry WHERE replaced IS NULL AND name >= ? AND name < ? ORDER BY name LIMIT ?')
      .all(first, end, PAGE_NAMES)
      .map(({ name }) => String(name));
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #connect(): Connection {
    const { file, busyTimeout } = this.#options;
    if (this.#connection?.isStale) {
      this.close();
      const message = `${file} was moved or deleted: the one that is there now is opened, or a new one created`;
      this.#report({ kind: 'database-replaced', level: 'warn', message });
    }
    this.#connection ??= new Connection(file, busyTimeout);
    return this.#connection;
  }

  #write(now: number, work: (connection: Connection) => void): void {
    const connection = this.#connect();
    // With the lock from the start: a transaction that has begun to read may be refused when it comes to write.
    connection.sql('BEGIN IMMEDIATE').run();
    try {
      work(connection);
      connection
        .sql('DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE replaced <= ? LIMIT ?)')
        .run(now - this.#options.keepReplaced * 1000, MOST_REMOVED);
      connection.sql('COMMIT').run();
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

function replace(connection: Connection, name: string, now: number): void {
  connection.sql('UPDATE entry SET replaced = ? WHERE name = ? AND replaced IS NULL').run(now, name);
}
