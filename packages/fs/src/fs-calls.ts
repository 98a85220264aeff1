import * as fs from 'node:fs';

/*
 * Promises around the callbacks of node:fs. The FileHandles of node:fs/promises cost an object and a second promise
 * per call; plain descriptors take half the time.
 */

type Callback<Value> = (error: Error | null, value: Value) => void;

function call<Value>(start: (callback: Callback<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

function run(start: (callback: (error: Error | null) => void) => void): Promise<void> {
  return call<undefined>((callback) => start((error) => callback(error, undefined)));
}

export const open = (path: string, flags: number, mode?: number): Promise<number> =>
  call((callback) => fs.open(path, flags, mode, callback));

export const fstat = (fd: number): Promise<fs.Stats> => call((callback) => fs.fstat(fd, callback));

export const stat = (path: string): Promise<fs.Stats> => call((callback) => fs.stat(path, callback));

export const lstat = (path: string): Promise<fs.Stats> => call((callback) => fs.lstat(path, callback));

export const statfs = (path: string): Promise<fs.StatsFs> => call((callback) => fs.statfs(path, callback));

/** Reads at most `length` bytes at `position` of the file into `buffer`; 0 is the end of the file. */
export const read = (
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> => call((callback) => fs.read(fd, buffer, offset, length, position, callback));

/** Appends at the descriptor's own position; may write less than all. */
export const writev = (fd: number, buffers: readonly Uint8Array[]): Promise<number> =>
  call((callback) => fs.writev(fd, buffers, callback));

export const fsync = (fd: number): Promise<void> => run((callback) => fs.fsync(fd, callback));

export const fchmod = (fd: number, mode: number): Promise<void> =>
  run((callback) => fs.fchmod(fd, mode, callback));

export const chmod = (path: string, mode: number): Promise<void> =>
  run((callback) => fs.chmod(path, mode, callback));

export const close = (fd: number): Promise<void> => run((callback) => fs.close(fd, callback));

export const rename = (from: string, to: string): Promise<void> =>
  run((callback) => fs.rename(from, to, callback));

export const unlink = (path: string): Promise<void> => run((callback) => fs.unlink(path, callback));

export const mkdir = (path: string, mode: number): Promise<void> =>
  run((callback) => fs.mkdir(path, { mode }, callback));

export const rmdir = (path: string): Promise<void> => run((callback) => fs.rmdir(path, callback));

export const readlink = (path: string): Promise<string> => call((callback) => fs.readlink(path, callback));

/** Makes a symbolic link whose text is `target`. */
export const symlink = (target: string, path: string): Promise<void> =>
  run((callback) => fs.symlink(target, path, callback));

/** Sets the times of access and modification, of a symbolic link its own, in milliseconds since the Unix epoch. */
export const lutimes = (path: string, time: number): Promise<void> =>
  run((callback) => fs.lutimes(path, time / 1000, time / 1000, callback));

export const readText = (path: string): Promise<string> =>
  call((callback) => fs.readFile(path, 'latin1', callback));

/** Reads a whole folder in one round trip to the thread pool. */
export const readdir = (path: string): Promise<fs.Dirent[]> =>
  call((callback) => fs.readdir(path, { withFileTypes: true }, callback));

// Fewer round trips to the thread pool than with Node's 32 entries at a time.
export const opendir = (path: string): Promise<fs.Dir> =>
  call((callback) => fs.opendir(path, { bufferSize: 256 }, callback));

/** Closes a descriptor that was only read from, without waiting: no data can be lost. */
export function closeUnwatched(fd: number): void {
  fs.close(fd, () => {});
}
