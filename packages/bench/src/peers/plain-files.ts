import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGES, imageBody } from '../bodies.js';
import type { Contestant } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';
import { NODE_VERSION } from '../versions.js';

/** The least that a hit on a file can cost: open, fstat, read, close, and nothing checked. */
export const openFstatRead: Contestant = {
  name: 'open + fstat + read',
  version: NODE_VERSION,
  settings: 'node:fs/promises FileHandle, nothing checked',
  async open(bytes) {
    const folder = await temporaryFolder();
    for (let index = 0; index < IMAGES; index++) {
      await fs.writeFile(join(folder.path, String(index)), imageBody(bytes, index));
    }
    return {
      async run(index) {
        const handle = await fs.open(join(folder.path, String(index % IMAGES)), 'r');
        try {
          const { size } = await handle.stat();
          const body = Buffer.allocUnsafeSlow(size);
          await handle.read(body, 0, size, 0);
          return body;
        } finally {
          await handle.close();
        }
      },
      close: folder.remove,
    };
  },
};

/** The least that an atomic store costs: a new file, and a rename over the old one. */
export const writeRename: Contestant = {
  name: 'write + rename',
  version: NODE_VERSION,
  settings: 'node:fs/promises, no fsync, no metadata',
  async open(bytes) {
    const folder = await temporaryFolder();
    const bodies = Array.from({ length: IMAGES }, (_, index) => imageBody(bytes, index));
    return {
      async run(index) {
        const target = join(folder.path, String(index % IMAGES));
        const temporary = `${target}-${index}.tmp`;
        await fs.writeFile(temporary, bodies[index % IMAGES] ?? '', { flag: 'wx' });
        await fs.rename(temporary, target);
      },
      close: folder.remove,
    };
  },
};
