import fs from '@imgproxy-cache/fs';
import { IMAGES } from '../bodies.js';
import { bentocacheFileStore } from '../peers/bentocache.js';
import { cacacheStore } from '../peers/cacache.js';
import { entryOf, nameOf, OUR_VERSION, openDriver } from '../peers/imgproxy-cache.js';
import { writeRename } from '../peers/plain-files.js';
import type { Contestant, Table } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';

function ours(sync: boolean): Contestant {
  return {
    name: sync ? 'fs driver, IMGPROXY_CACHE_FS_SYNC' : 'fs driver',
    version: OUR_VERSION,
    settings: `put, metadata behind the body, ${sync ? 'fsync of file and folder' : 'no fsync'}`,
    async open(bytes) {
      const folder = await temporaryFolder();
      const driver = openDriver(fs, {
        root: folder.path,
        bucket: '',
        sync,
        fileMode: '0600',
        folderMode: '0700',
        maxSize: 0,
        minFreeSpace: 0,
      });
      const entries = Array.from({ length: IMAGES }, (_, index) => entryOf(index, bytes));
      return {
        async run(index) {
          const entry = entries[index % IMAGES];
          if (entry !== undefined) await driver.put(nameOf(index % IMAGES), entry);
        },
        async close() {
          await driver.close();
          await folder.remove();
        },
      };
    },
  };
}

export const fsStore: Table = {
  name: 'fs-store',
  title: 'A store on files',
  operation: 'Store one of 64 images over an older one, atomically where the contestant can.',
  contestants: [ours(false), ours(true), writeRename, cacacheStore, bentocacheFileStore],
  sizes: [5_000, 50_000, 1_000_000],
  inFlight: [1, 32],
  goals: [],
};
