import { type CacheDriver, readVerified } from '@imgproxy-cache/core/driver';
import fs from '@imgproxy-cache/fs';
import { IMAGES } from '../bodies.js';
import { bentocacheFileHit } from '../peers/bentocache.js';
import { cacacheHit } from '../peers/cacache.js';
import {
  entryOf,
  nameOf,
  OUR_VERSION,
  openCache,
  openDriver,
  renderer,
  requestOf,
} from '../peers/imgproxy-cache.js';
import { openFstatRead } from '../peers/plain-files.js';
import type { Contestant, Table } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';

const ours: Contestant = {
  name: 'fs driver',
  version: OUR_VERSION,
  settings: 'get, metadata validated, CRC-32 checked',
  async open(bytes) {
    const folder = await temporaryFolder();
    const driver: CacheDriver = openDriver(fs, {
      root: folder.path,
      bucket: '',
      sync: false,
      fileMode: '0600',
      folderMode: '0700',
      maxSize: 0,
      minFreeSpace: 0,
    });
    for (let index = 0; index < IMAGES; index++) await driver.put(nameOf(index), entryOf(index, bytes));
    return {
      async run(index) {
        const entry = await driver.get(nameOf(index % IMAGES));
        if (entry === undefined) throw new Error('a miss where a hit was expected');
        return readVerified(entry);
      },
      async close() {
        await driver.close();
        await folder.remove();
      },
    };
  },
};

const fetched: Contestant = {
  name: 'ImageCache.fetch on fs',
  version: OUR_VERSION,
  settings: 'defaults: key, single flight, deadline, CRC-32, events',
  async open(bytes) {
    const folder = await temporaryFolder();
    const cache = await openCache({
      IMGPROXY_CACHE_USE: 'fs',
      IMGPROXY_CACHE_FS_ROOT: folder.path,
      IMGPROXY_CACHE_REPORT_ERRORS: '1',
    });
    for (let index = 0; index < IMAGES; index++) {
      await cache.fetch(requestOf(index), renderer(entryOf(index, bytes).body));
    }
    const miss = (): never => {
      throw new Error('a miss where a hit was expected');
    };
    return {
      async run(index) {
        const { image } = await cache.fetch(requestOf(index % IMAGES), miss);
        return image.bytes();
      },
      async close() {
        await cache.close();
        await folder.remove();
      },
    };
  },
};

export const fsHit: Table = {
  name: 'fs-hit',
  title: 'A hit on files',
  operation: 'Get one of 64 images that are in the page cache, whole.',
  contestants: [ours, fetched, openFstatRead, cacacheHit, bentocacheFileHit],
  sizes: [5_000, 50_000, 1_000_000],
  inFlight: [1, 32],
  goals: [
    {
      contestant: ours.name,
      peer: openFstatRead.name,
      figure: 'operationsPerSecond',
      bytes: 50_000,
      inFlight: 32,
      atLeast: 0.75,
    },
    {
      contestant: ours.name,
      peer: cacacheHit.name,
      figure: 'operationsPerSecond',
      bytes: 50_000,
      inFlight: 32,
      atLeast: 3,
    },
  ],
};
