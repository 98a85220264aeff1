import { createReadStream } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGES, imageBody, imagesOf } from '../bodies.js';
import type { Contestant } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';
import { NODE_VERSION } from '../versions.js';
import { drain } from './imgproxy-cache.js';

function plainHit(
  name: string,
  settings: string,
  read: (path: string) => Promise<Uint8Array | number>,
): Contestant {
  return {
    name,
    version: NODE_VERSION,
    settings,
    async open(bytes) {
      const folder = await temporaryFolder();
      const paths = Array.from({ length: imagesOf(bytes) }, (_, index) => join(folder.path, String(index)));
      for (const [index, path] of paths.entries()) await fs.writeFile(path, imageBody(bytes, index));
      return { run: (index) => read(paths[index % paths.length] ?? ''), close: folder.remove };
    },
  };
}

/** The least that a hit on a file can cost: open, fstat, read, close, and nothing checked. */
export const openFstatRead: Contestant = plainHit(
  'open + fstat + read',
  'node:fs/promises FileHandle, nothing checked',
  async (path) => {
    const handle = await fs.open(path, 'r');
    try {
      const { size } = await handle.stat();
      const body = Buffer.allocUnsafeSlow(size);
      await handle.read(body, 0, size, 0);
      return body;
    } finally {
      await handle.close();
    }
  },
);

export const readFileHit: Contestant = plainHit('readFile', 'node:fs/promises, nothing checked', (path) =>
  fs.readFile(path),
);

export const readStreamHit: Contestant = plainHit(
  'createReadStream',
  'defaults: chunks of 64 KiB; nothing checked',
  (path) => drain(createReadStream(path)),
);

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
