import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the fs driver writes what is not complete yet. */
const UNFINISHED = '.imgproxy-cache-tmp';
/** Name of a file that is being written: a machine, a process, its start and two numbers. */
const TEMPORARY = /^[0-9a-f]{16}-\d+-\d+-[0-9a-f]{8}-\d+$/;

/** A folder of the fs driver, looked at from outside. */
export class CacheFolder implements AsyncDisposable {
  readonly path: string;

  static async create(): Promise<CacheFolder> {
    return new CacheFolder(await mkdtemp(join(tmpdir(), 'imgproxy-cache-soak-')));
  }

  private constructor(path: string) {
    this.path = path;
  }

  /** Files that are unfinished, or that nobody knows. */
  async countLeftovers(): Promise<number> {
    const files = await readdir(join(this.path, UNFINISHED)).catch(ignoreAbsence);
    return files.filter((file) => TEMPORARY.test(file) || !file.includes('.')).length;
  }

  /** Bytes of all entries. */
  async size(): Promise<number> {
    return await sizeOf(this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}

async function sizeOf(folder: string): Promise<number> {
  const found = await readdir(folder, { withFileTypes: true }).catch(ignoreAbsence);
  const sizes = found
    .filter(({ name }) => name !== UNFINISHED)
    .map(async (each) => {
      const path = join(folder, each.name);
      if (each.isDirectory()) return await sizeOf(path);
      return (await lstat(path).catch(() => undefined))?.size ?? 0;
    });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

// Others may evict an entry, and a folder with its last one, at any moment.
function ignoreAbsence(): [] {
  return [];
}
