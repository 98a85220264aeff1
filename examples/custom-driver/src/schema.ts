import type { DatabaseSync } from 'node:sqlite';
import { CacheError } from '@imgproxy-cache/core/driver';

// What file(1) and SQLite's own tools show of the file: "imgc" in ASCII.
const APPLICATION_ID = 0x69_6d_67_63;
const SCHEMA_VERSION = 1;

// An image that is replaced stays for a while: nobody's body is pulled away while it is read.
const SCHEMA = `
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- of a version of an entry: never used again
    name TEXT NOT NULL,
    fields TEXT NOT NULL,                 -- the metadata, a JSON object of strings
    replaced INTEGER                      -- when, in milliseconds since 1970; NULL: it is the current one
  ) STRICT;
  CREATE UNIQUE INDEX current_entry ON entry (name) WHERE replaced IS NULL;
  CREATE INDEX replaced_entry ON entry (replaced) WHERE replaced IS NOT NULL;
  CREATE TABLE chunk (
    entry INTEGER NOT NULL REFERENCES entry ON DELETE CASCADE,
    position INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (entry, position)
  ) STRICT;
  -- Nor is it used again in a file that takes the place of this one.
  INSERT INTO sqlite_sequence VALUES ('entry', abs(random() % 1000000000000));
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Creates the tables in an empty database. Refuses, before it changes anything, a database of something else and
 * one of a newer version of this driver.
 */
export function prepareSchema(database: DatabaseSync, file: string): void {
  if (!isEmpty(database, file)) return;
  database.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE');
  // Another process may have been first.
  if (isEmpty(database, file)) database.exec(SCHEMA);
  database.exec('COMMIT');
}

function isEmpty(database: DatabaseSync, file: string): boolean {
  const state = database
    .prepare(`
      SELECT application_id AS application, user_version AS version, (SELECT count(*) FROM sqlite_schema) AS tables
      FROM pragma_application_id, pragma_user_version`)
    .get();
  const { application, version, tables } = state ?? {};
  if (application === 0 && version === 0 && tables === 0) return true;
  if (application !== APPLICATION_ID) {
    const message = `${file} is the database of another program: set IMGPROXY_CACHE_SQLITE_FILE to one of the cache's own`;
    throw new CacheError('ERR_CACHE_CONFIG', message);
  }
  if (version !== SCHEMA_VERSION) {
    const message = `${file} has version ${version} of the tables, this version of imgproxy-cache-driver-sqlite knows version ${SCHEMA_VERSION}: upgrade it, or give it a file of its own`;
    throw new CacheError('ERR_CACHE_UNSUPPORTED', message);
  }
  return false;
}
