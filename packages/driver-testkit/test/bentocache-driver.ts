import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BufferedEntry,
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type ConfigTable,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
  decodeMetadata,
  defineCacheDriver,
  encodeMetadata,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import type { DriverSubject } from '@imgproxy-cache/driver-testkit';
import { FileDriver } from 'bentocache/drivers/file';

/** Entries as the strings that bentocache's file driver stores: as thin as can be, and without signals. */
class BentocacheDriver implements CacheDriver {
  readonly #files: FileDriver;
  readonly #context: DriverContext;

  constructor(directory: string, context: DriverContext) {
    this.#files = new FileDriver({ directory, pruneInterval: false });
    this.#context = context;
  }

  async get(name: string): Promise<StoredEntry | undefined> {
    const stored = await this.#files.get(name).catch((cause: unknown) => {
      throw new CacheError('ERR_CACHE_CORRUPT', `cannot read the entry ${name}`, { operation: 'get', cause });
    });
    if (stored === undefined) return undefined;
    const { metadata, body } = JSON.parse(stored);
    return new BufferedEntry(decodeMetadata(metadata), Buffer.from(body, 'base64'), false);
  }

  async put(name: string, { metadata, body }: CacheEntry): Promise<void> {
    const text = JSON.stringify({
      metadata: encodeMetadata(metadata),
      body: Buffer.from(body).toString('base64'),
    });
    await this.#files.set(name, text);
  }

  async delete(names: readonly string[]): Promise<void> {
    await this.#files.deleteMany([...names]);
  }

  // biome-ignore lint/correctness/useYield: it cannot list
  async *list(): AsyncGenerator<string> {
    throw new CacheError('ERR_CACHE_UNSUPPORTED', 'the files of bentocache cannot be listed', {
      operation: 'list',
    });
  }

  check(): Promise<DriverCheck> {
    return checkRoundTrip(this, this.#context);
  }

  close(): Promise<void> {
    return this.#files.disconnect();
  }
}

const TABLE = {
  directory: {
    variable: 'IMGPROXY_CACHE_BENTOCACHE_DIRECTORY',
    type: 'string',
    default: '',
    doc: 'Where it is.',
  },
} as const satisfies ConfigTable;

const untried = 'only its overwrites are looked at';

export const bentocache: DriverSubject<typeof TABLE> = {
  definition: defineCacheDriver({
    name: 'bentocache',
    contract: 1,
    config: TABLE,
    capabilities: { shared: true, limitations: { list: 'its driver has no such operation' } },
    create: ({ directory }, context) => new BentocacheDriver(directory, context),
  }),
  async prepare() {
    const directory = await mkdtemp(join(tmpdir(), 'testkit-'));
    return { config: { directory }, dispose: () => rm(directory, { recursive: true }) };
  },
  without: { foreign: untried, tamper: untried, outage: untried, stall: untried, module: untried },
};
