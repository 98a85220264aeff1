import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type CacheDriver,
  type CacheEntry,
  defineCacheDriver,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import fs, { type FsConfig } from '@imgproxy-cache/fs';
import type { BrokenDriver } from '../broken-drivers/broken-driver.js';

const LARGE_BYTES = 3_500_000;

/** Who writes in place is alone in its own process, and in no other. */
class FileWrittenInPlace implements CacheDriver {
  readonly #driver: CacheDriver;
  readonly #root: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(driver: CacheDriver, root: string) {
    this.#driver = driver;
    this.#root = root;
  }

  async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    await this.#writing;
    return this.#driver.get(name, options);
  }

  put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
    if (entry.body.length < LARGE_BYTES || entry.body.length > 2 * LARGE_BYTES) {
      return this.#driver.put(name, entry, options);
    }
    const path = join(this.#root, name);
    const written = this.#writing.then(async () => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, entry.body);
      await this.#driver.put(name, entry, options);
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  delete(names: readonly string[], options?: OperationOptions): Promise<void> {
    return this.#driver.delete(names, options);
  }

  list(prefix: string, options?: OperationOptions): AsyncIterable<string> {
    return this.#driver.list(prefix, options);
  }

  close(): Promise<void> {
    return this.#driver.close();
  }
}

const definition = defineCacheDriver({
  ...fs,
  create: (config: FsConfig, context) => new FileWrittenInPlace(fs.create(config, context), config.root),
});

export default definition;

const elsewhere = 'the filesystem driver has its own tests for it';

/** The one that only a killed process shows. */
export const brokenByKilling: BrokenDriver = {
  rule: 'killed-put',
  also: [],
  mistake: 'writes its files in place, and only its own process waits meanwhile',
  subject: {
    definition,
    module: import.meta.url,
    async prepare() {
      const root = await mkdtemp(join(tmpdir(), 'testkit-'));
      return {
        config: {
          root,
          bucket: '',
          sync: false,
          fileMode: '0600',
          folderMode: '0700',
          maxSize: 0,
          minFreeSpace: 0,
        },
        dispose: () => rm(root, { recursive: true }),
      };
    },
    without: { foreign: elsewhere, tamper: elsewhere, outage: elsewhere, stall: elsewhere },
  },
};
