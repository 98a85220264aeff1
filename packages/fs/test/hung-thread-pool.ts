import { close, constants, open, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { newFolder } from './cache-folder.js';
import { run } from './child-process.js';

const THREADS = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);

/**
 * Makes every thread that Node keeps for files hang, as a dead network file system does: each waits for somebody
 * to write to a FIFO. Nothing in this process can read or write a file until the returned function is called.
 */
export async function hangThreadPool(): Promise<() => void> {
  const fifo = join(await newFolder(), 'fifo');
  await run('mkfifo', [fifo]);
  for (let thread = 0; thread < THREADS; thread += 1) {
    open(fifo, constants.O_RDONLY, (error, fd) => {
      if (error === null) close(fd);
    });
  }
  let writer: number | undefined;
  const release = (): void => {
    // Synchronous, since no thread is left for anything else.
    writer ??= openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  };
  onTestFinished(() => {
    release();
    if (writer !== undefined) close(writer);
    rmSync(fifo, { force: true });
  });
  return release;
}

/** How many descriptors of this process lead below a folder. Needs Linux. */
export function openFilesBelow(folder: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

/** Waits until no descriptor leads below a folder any more; the test's own limit of time ends it. */
export async function allFilesClosed(folder: string): Promise<void> {
  while (openFilesBelow(folder) > 0) await new Promise((resolve) => setImmediate(resolve));
}
