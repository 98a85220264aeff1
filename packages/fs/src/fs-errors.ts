import {
  CacheError,
  type CacheErrorCode,
  type CacheOperation,
  isCacheError,
} from '@imgproxy-cache/core/driver';
import { statfs } from './fs-calls.js';

const DENIED = 'give the user of this process the right to read, write and search the cache folder';
const IN_THE_WAY =
  'a file is where a folder is wanted, or a folder where a file is: remove it, or choose another IMGPROXY_CACHE_PATH_PREFIX';
const NOT_ENTRY = 'it is not a regular file, and links are never followed: remove it';
const DESCRIPTORS = 'raise the limit of open files (ulimit -n)';
const DISK = 'look at the system log for faults of the disk or of its connection';

const MEANINGS: Readonly<Record<string, readonly [code: CacheErrorCode, meaning: string]>> = {
  EACCES: ['ERR_CACHE_ACCESS_DENIED', `permission denied: ${DENIED}`],
  EPERM: ['ERR_CACHE_ACCESS_DENIED', `not permitted: ${DENIED}`],
  EROFS: [
    'ERR_CACHE_ACCESS_DENIED',
    'the file system is mounted read-only: mount it for writing, or look in the system log for the fault that made it so',
  ],
  ENOSPC: ['ERR_CACHE_NO_SPACE', 'the file system is full: delete old entries or enlarge it'],
  EDQUOT: ['ERR_CACHE_NO_SPACE', 'the quota is used up: delete old entries or raise it'],
  EFBIG: [
    'ERR_CACHE_TOO_LARGE',
    'larger than the file system or the limit of this process (ulimit -f) allows',
  ],
  ENAMETOOLONG: [
    'ERR_CACHE_UNSUPPORTED',
    'the path is longer than the file system allows: shorten IMGPROXY_CACHE_FS_ROOT or IMGPROXY_CACHE_PATH_PREFIX',
  ],
  ENOTDIR: ['ERR_CACHE_UNSUPPORTED', IN_THE_WAY],
  EISDIR: ['ERR_CACHE_UNSUPPORTED', IN_THE_WAY],
  EEXIST: ['ERR_CACHE_UNSUPPORTED', IN_THE_WAY],
  ENOTEMPTY: ['ERR_CACHE_UNSUPPORTED', IN_THE_WAY],
  EXDEV: [
    'ERR_CACHE_UNSUPPORTED',
    'a folder inside the cache lies on another file system: mount nothing below IMGPROXY_CACHE_FS_ROOT',
  ],
  // How open() answers for a symbolic link (on FreeBSD EMLINK) and for a socket.
  ELOOP: ['ERR_CACHE_CORRUPT', NOT_ENTRY],
  EMLINK: ['ERR_CACHE_CORRUPT', NOT_ENTRY],
  ENXIO: ['ERR_CACHE_CORRUPT', NOT_ENTRY],
  EMFILE: ['ERR_CACHE_UNAVAILABLE', `this process has too many open files: ${DESCRIPTORS}`],
  ENFILE: ['ERR_CACHE_UNAVAILABLE', `the system has too many open files: ${DESCRIPTORS}`],
  EIO: ['ERR_CACHE_UNAVAILABLE', `input/output error: ${DISK}`],
  ESTALE: ['ERR_CACHE_UNAVAILABLE', `stale file handle of a network file system: ${DISK}`],
  ENOENT: ['ERR_CACHE_UNAVAILABLE', 'it was removed by somebody else meanwhile'],
};

/** The code of an operating system error, such as `ENOENT`. */
export function errnoOf(thrown: unknown): string | undefined {
  return thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
}

/** Whether an error means that nothing is at a path. A path that is too long cannot hold a file either. */
export function isAbsence(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG';
}

/** Awaits `step`; `undefined` if its file or folder is gone, since other processes delete too. */
export async function unlessAbsent<Value>(step: Promise<Value>): Promise<Value | undefined> {
  try {
    return await step;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether an error means that the file system or the quota is full. */
export function isFull(thrown: unknown): boolean {
  const errno = errnoOf(thrown);
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/** Translates an error of the operating system about `path`. A CacheError stays as it is. */
export function toCacheError(thrown: unknown, operation: CacheOperation, path: string): CacheError {
  if (isCacheError(thrown)) return thrown;
  const errno = errnoOf(thrown) ?? 'unknown error';
  const [code, meaning] = MEANINGS[errno] ?? ['ERR_CACHE_UNAVAILABLE', `the file system refused: ${DISK}`];
  return fsError(code, `cannot ${operation} ${path}: ${meaning} (${errno})`, operation, thrown);
}

/** As {@link toCacheError}; names the exhausted resource of a full file system. */
export async function toWriteError(thrown: unknown, path: string, root: string): Promise<CacheError> {
  const error = toCacheError(thrown, 'put', path);
  if (errnoOf(thrown) !== 'ENOSPC') return error;
  const exhausted = await exhaustedResource(root);
  return fsError(
    'ERR_CACHE_NO_SPACE',
    `cannot put ${path}: the file system has no ${exhausted} left: delete old entries or enlarge it (ENOSPC)`,
    'put',
    thrown,
  );
}

async function exhaustedResource(root: string): Promise<string> {
  try {
    const { bavail, files, ffree } = await statfs(root);
    if (files > 0 && ffree === 0) return 'inodes';
    return bavail === 0 ? 'bytes' : 'bytes or inodes';
  } catch {
    return 'bytes or inodes';
  }
}

export function fsError(
  code: CacheErrorCode,
  message: string,
  operation: CacheOperation,
  cause?: unknown,
): CacheError {
  return new CacheError(
    code,
    message,
    cause === undefined ? { driver: 'fs', operation } : { driver: 'fs', operation, cause },
  );
}
