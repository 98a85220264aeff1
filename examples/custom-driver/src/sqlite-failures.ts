import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type CacheErrorCode, isCacheError } from '@imgproxy-cache/core/driver';
import type { DatabaseOptions } from './entry-database.js';

/** A failure as it can be sent from one thread to another. */
export interface Failure {
  readonly code: CacheErrorCode;
  readonly message: string;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** What went wrong with a database, in the cache's words. See https://sqlite.org/rescode.html */
export function failureOf(thrown: unknown, { file, busyTimeout }: DatabaseOptions): Failure {
  if (isCacheError(thrown)) {
    return { code: thrown.code, message: thrown.message, retryable: thrown.retryable };
  }
  const { errcode = 0, errstr = String(thrown) } = thrown as { errcode?: number; errstr?: string };
  const failure = (code: CacheErrorCode, words: string, retryable?: boolean): Failure => ({
    code,
    message: `${file} ${words} (SQLite: ${errstr})`,
    cause: thrown,
    ...(retryable !== undefined && { retryable }),
  });
  // The lower byte is the kind of a failure, the others are details of it.
  switch (errcode & 0xff) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return failure('ERR_CACHE_TIMEOUT', `stayed locked by another process for ${busyTimeout} seconds`);
    case 13: // SQLITE_FULL
      return failure('ERR_CACHE_NO_SPACE', 'cannot grow: give its disk more room, or the database');
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
      return failure('ERR_CACHE_ACCESS_DENIED', 'cannot be written: give this process the right to');
    case 14: // SQLITE_CANTOPEN
      return existsSync(dirname(resolve(file)))
        ? failure('ERR_CACHE_ACCESS_DENIED', 'cannot be opened: let this process write it and its folder')
        : failure('ERR_CACHE_NO_BUCKET', 'has lost its folder: create it, or mount its disk');
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return failure('ERR_CACHE_UNAVAILABLE', 'is damaged: move it away, and a new one is begun', false);
    default:
      return failure('ERR_CACHE_UNAVAILABLE', 'cannot be used');
  }
}
