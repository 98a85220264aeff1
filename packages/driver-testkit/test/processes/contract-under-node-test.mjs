import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { driverContract } from '@imgproxy-cache/driver-testkit';
import fs from '@imgproxy-cache/fs';
import memory from '@imgproxy-cache/memory';

const unreachable = 'nobody else reaches the memory of this process';

driverContract(
  { describe, it },
  {
    definition: memory,
    prepare: async () => ({ config: { maxSize: 256 * 1024 * 1024, maxEntries: 10_000 } }),
    without: {
      ...{ foreign: unreachable, tamper: unreachable },
      ...{ outage: 'the memory of a process does not fail', stall: 'nor does it keep anybody waiting' },
    },
  },
);

driverContract(
  { describe, it },
  {
    definition: fs,
    module: import.meta.resolve('@imgproxy-cache/fs'),
    async prepare() {
      const folder = await mkdtemp(join(tmpdir(), 'testkit-'));
      const root = join(folder, 'root');
      await mkdir(root);
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
        async foreign(name) {
          await mkdir(dirname(join(root, name)), { recursive: true });
          await writeFile(join(root, name), 'not an entry');
        },
        async tamper(name, change) {
          await writeFile(join(root, name), change(await readFile(join(root, name))));
        },
        outage: () => rename(root, join(folder, 'unmounted')),
        outageCode: 'ERR_CACHE_NO_BUCKET',
        dispose: () => rm(folder, { recursive: true }),
      };
    },
    without: { stall: 'the tests of the driver hold up the threads of the whole process for it' },
  },
);
