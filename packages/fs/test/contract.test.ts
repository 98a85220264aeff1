import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { driverContract } from '@imgproxy-cache/driver-testkit';
import fs from '@imgproxy-cache/fs';
import { describe, it } from 'vitest';
import { configFor, newFolder } from './cache-folder.js';
import { hangThreadPool } from './hung-thread-pool.js';

const LIMITS = { maxSize: 2 ** 40, minFreeSpace: 1 };

for (const [what, limits] of [
  ['without limits', {}],
  ['with limits', LIMITS],
] as const) {
  describe(what, () => {
    driverContract(
      { describe, it },
      {
        definition: fs,
        module: import.meta.resolve('@imgproxy-cache/fs'),
        async prepare() {
          const folder = await newFolder();
          const root = join(folder, 'root');
          await mkdir(root);
          return {
            config: configFor(root, limits),
            async foreign(name) {
              await mkdir(dirname(join(root, name)), { recursive: true });
              await writeFile(join(root, name), 'not an entry');
            },
            async tamper(name, change) {
              await writeFile(join(root, name), change(await readFile(join(root, name))));
            },
            outage: () => rename(root, join(folder, 'unmounted')),
            outageCode: 'ERR_CACHE_NO_BUCKET',
            stall: hangThreadPool,
          };
        },
      },
    );
  });
}
