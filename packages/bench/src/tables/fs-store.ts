import fs from '@imgproxy-cache/fs';
import { IMAGES } from '../bodies.js';
import { bentocacheFileStore } from '../peers/bentocache.js';
import { cacacheStore } from '../peers/cacache.js';
import { entryOf, fetchAndStore, onFiles, openDriver, spreadName } from '../peers/imgproxy-cache.js';
import { writeRename } from '../peers/plain-files.js';
import type { Contestant, Table } from '../table.js';

const CREATED = 'a look-up that misses, and a store';

const ours = fetchAndStore('ImageCache.fetch on fs', CREATED, onFiles);
const durable = fetchAndStore(
  'ImageCache.fetch on fs, IMGPROXY_CACHE_FS_SYNC',
  `${CREATED} with fsync of file and folder`,
  async () => {
    const { env, ...store } = await onFiles();
    return { ...store, env: { ...env, IMGPROXY_CACHE_FS_SYNC: 'true' } };
  },
);

export const fsStore: Table = {
  name: 'fs-store',
  title: 'A store on files',
  operation: 'Store an image, atomically where the contestant can: ours a new one, the others one of 64.',
  contestants: [ours, durable, writeRename, cacacheStore, bentocacheFileStore],
  sizes: [50_000],
  inFlight: [1, 32],
  goals: [],
};

/** A cache that has entries already. @param isLimited whether their size is the limit */
function filled(entries: number, isLimited: boolean): Contestant {
  const name = isLimited ? 'at the size limit' : 'without a limit';
  return fetchAndStore(name, CREATED, async (bytes, scale) => {
    const { env, ...store } = await onFiles();
    const count = entries * scale;
    const root = env['IMGPROXY_CACHE_FS_ROOT'] ?? '';
    const driver = openDriver(fs, {
      ...{ root, bucket: '', sync: false, fileMode: '0600', folderMode: '0700' },
      ...{ maxSize: 0, minFreeSpace: 0 },
    });
    const put = async (first: number): Promise<void> => {
      for (let index = first; index < count; index += 8) {
        const { metadata, body } = entryOf(index % IMAGES, bytes);
        const name = spreadName(index);
        await driver.put(name, { metadata: { ...metadata, name }, body });
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, first) => put(first)));
    await driver.close();
    // Each entry has about 430 bytes of metadata.
    const limit = { IMGPROXY_CACHE_FS_MAX_SIZE: String(count * (bytes + 430)) };
    return { ...store, env: { ...env, ...(isLimited && limit) } };
  });
}

function atLimit(entries: number): Table {
  const [limited, unlimited] = [filled(entries, true), filled(entries, false)];
  return {
    name: `fs-limit-${entries}`,
    title: `A store on files at the size limit, ${entries} entries`,
    operation: 'Store a new image, for which an old one is evicted.',
    contestants: [limited, unlimited],
    sizes: [5_000],
    inFlight: [8],
    goals: [
      {
        contestant: limited.name,
        peer: unlimited.name,
        figure: 'cpuMicroseconds',
        bytes: 5_000,
        inFlight: 8,
        below: 2,
      },
    ],
    effort: { rounds: 5, roundMilliseconds: 2000 },
  };
}

const MANY = Number(process.env['BENCH_FS_ENTRIES'] ?? 100_000);

export const fsLimits: readonly Table[] = [atLimit(10_000), atLimit(MANY)];
