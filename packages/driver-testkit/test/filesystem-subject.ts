import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DriverSubject } from '@imgproxy-cache/driver-testkit';
import fs from '@imgproxy-cache/fs';

/** The filesystem driver with all doors to its folder. */
export const filesystem: DriverSubject<typeof fs.config> = {
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
};
