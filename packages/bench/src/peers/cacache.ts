import cacache from 'cacache';
import { IMAGES, imageBody } from '../bodies.js';
import type { Contestant } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';
import { versionOf } from '../versions.js';
import { entryOf } from './imgproxy-cache.js';

const version = `cacache ${versionOf('cacache')}`;
const settings = 'defaults: SHA-512 checked, metadata in the index, no memoization';

export const cacacheHit: Contestant = {
  name: 'cacache.get',
  version,
  settings,
  async open(bytes) {
    const folder = await temporaryFolder();
    for (let index = 0; index < IMAGES; index++) {
      const { metadata, body } = entryOf(index, bytes);
      await cacache.put(folder.path, metadata.name, Buffer.from(body), { metadata });
    }
    const names = Array.from({ length: IMAGES }, (_, index) => entryOf(index, 1).metadata.name);
    return {
      run: (index) => cacache.get(folder.path, names[index % IMAGES] ?? ''),
      close: folder.remove,
    };
  },
};

export const cacacheStore: Contestant = {
  name: 'cacache.put',
  version,
  settings,
  async open(bytes) {
    const folder = await temporaryFolder();
    const entries = Array.from({ length: IMAGES }, (_, index) => entryOf(index, 1).metadata);
    const bodies = Array.from({ length: IMAGES }, (_, index) => imageBody(bytes, index));
    return {
      async run(index) {
        const metadata = entries[index % IMAGES];
        // Content-addressed: the same bytes again would not be written.
        const body = Buffer.from(bodies[index % IMAGES] ?? '');
        body.writeUInt32LE(index % 2 ** 32, 0);
        if (metadata !== undefined) await cacache.put(folder.path, metadata.name, body, { metadata });
      },
      close: folder.remove,
    };
  },
};
