import { BentoCache, bentostore } from 'bentocache';
import { fileDriver } from 'bentocache/drivers/file';
import { memoryDriver } from 'bentocache/drivers/memory';
import { IMAGES, imageBody } from '../bodies.js';
import type { Contestant } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';
import { versionOf } from '../versions.js';
import { requestOf } from './imgproxy-cache.js';

const version = `bentocache ${versionOf('bentocache')}`;

/** The plainest key that tells the requests apart, made for each request as ours is. */
export function keyOf(index: number): string {
  const { source, options = [], format } = requestOf(index);
  return `${source}|${JSON.stringify(options)}|${format}`;
}

export const bentocacheFileHit: Contestant = {
  name: 'bentocache file get',
  version,
  settings: 'file driver as L2 alone; the body as base64, since values are JSON; decoded again',
  async open(bytes) {
    const folder = await temporaryFolder();
    const bento = openFileStore(folder.path);
    for (let index = 0; index < IMAGES; index++) {
      await bento.set({ key: keyOf(index), value: imageBody(bytes, index).toString('base64') });
    }
    return {
      run: async (index) =>
        Buffer.from((await bento.get({ key: keyOf(index % IMAGES) })) as string, 'base64'),
      async close() {
        await bento.disconnectAll();
        await folder.remove();
      },
    };
  },
};

export const bentocacheFileStore: Contestant = {
  name: 'bentocache file set',
  version,
  settings: 'file driver as L2 alone; the body as base64, since values are JSON',
  async open(bytes) {
    const folder = await temporaryFolder();
    const bento = openFileStore(folder.path);
    const bodies = Array.from({ length: IMAGES }, (_, index) => imageBody(bytes, index));
    return {
      run: (index) =>
        bento.set({ key: keyOf(index % IMAGES), value: bodies[index % IMAGES]?.toString('base64') ?? '' }),
      async close() {
        await bento.disconnectAll();
        await folder.remove();
      },
    };
  },
};

/** A hit in memory, as `getOrSet` is used. `serialize: true` is the default. */
export function bentocacheMemoryHit(serialize: boolean, images: number = IMAGES): Contestant {
  return {
    name: serialize ? 'bentocache memory, default' : 'bentocache memory, serialize: false',
    version,
    settings: serialize
      ? 'defaults; the body as base64, since values are JSON'
      : 'serialize: false; the body as a Buffer',
    async open(bytes) {
      const bento = openMemoryStore(serialize);
      const storedValue = (index: number): unknown => {
        const body = imageBody(bytes, index);
        return serialize ? body.toString('base64') : body;
      };
      for (let index = 0; index < images; index++)
        await bento.set({ key: keyOf(index), value: storedValue(index) });
      return {
        run: (index) =>
          bento.getOrSet({ key: keyOf(index % images), factory: () => storedValue(index % images) }),
        close: () => bento.disconnectAll(),
      };
    },
  };
}

export function openMemoryStore(serialize: boolean): BentoCache<{ images: ReturnType<typeof bentostore> }> {
  return new BentoCache({
    default: 'images',
    stores: { images: bentostore().useL1Layer(memoryDriver({ serialize })) },
  });
}

function openFileStore(directory: string): BentoCache<{ images: ReturnType<typeof bentostore> }> {
  return new BentoCache({
    default: 'images',
    stores: { images: bentostore().useL2Layer(fileDriver({ directory, pruneInterval: false })) },
  });
}
