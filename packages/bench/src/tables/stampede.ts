import { createCache } from 'cache-manager';
import { openMemoryStore } from '../peers/bentocache.js';
import { OUR_VERSION, openCache, requestOf } from '../peers/imgproxy-cache.js';
import type { Experiment } from '../table.js';
import { versionOf } from '../versions.js';

const FULL_CALLERS = 1000;

/** A factory that takes a moment, and counts how often and how often at the same time it runs. */
class CountedFactory {
  runs = 0;
  most = 0;
  #running = 0;

  constructor(private readonly fails: boolean) {}

  readonly run = async (): Promise<Buffer> => {
    this.runs++;
    this.most = Math.max(this.most, ++this.#running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.#running--;
    if (this.fails) throw new Error('rendering failed');
    return Buffer.alloc(5000, this.runs);
  };
}

interface Contender {
  readonly name: string;
  open(): Promise<{ call(factory: CountedFactory): Promise<unknown>; close(): Promise<unknown> }>;
}

const CONTENDERS: readonly Contender[] = [
  {
    name: `ImageCache.fetch ${OUR_VERSION}`,
    async open() {
      const cache = await openCache({ IMGPROXY_CACHE_USE: 'memory' });
      return {
        call: ({ run }) =>
          cache.fetch(requestOf(0), async () => ({ body: await run(), contentType: 'image/webp' })),
        close: () => cache.close(),
      };
    },
  },
  {
    name: `bentocache getOrSet ${versionOf('bentocache')}`,
    async open() {
      const bento = openMemoryStore(false);
      return {
        call: ({ run }) => bento.getOrSet({ key: 'image', factory: run }),
        close: () => bento.disconnectAll(),
      };
    },
  },
  {
    name: `cache-manager wrap ${versionOf('cache-manager')}`,
    async open() {
      const cache = createCache();
      return { call: ({ run }) => cache.wrap('image', run), close: () => cache.disconnect() };
    },
  },
];

export const stampede: Experiment = {
  name: 'stampede',
  title: 'A stampede',
  operation: `${FULL_CALLERS} callers at once ask for one cold image; its rendering takes 20 ms, and succeeds or fails.`,
  async run({ scale }) {
    const callers = Math.max(20, FULL_CALLERS * scale);
    const rows: (string | number)[][] = [];
    const counts = new Map<string, number>();
    for (const { name, open } of CONTENDERS) {
      for (const fails of [false, true]) {
        const contender = await open();
        const factory = new CountedFactory(fails);
        const outcomes = await Promise.allSettled(
          Array.from({ length: callers }, () => contender.call(factory)),
        );
        await contender.close();
        const rejected = outcomes.filter(({ status }) => status === 'rejected').length;
        rows.push([name, callers, fails ? 'fails' : 'succeeds', factory.runs, factory.most, rejected]);
        counts.set(`${name} ${fails}`, factory.runs);
      }
    }
    const own = [false, true].map((fails) => counts.get(`${CONTENDERS[0]?.name} ${fails}`));
    return {
      columns: [
        'contestant',
        'callers',
        'rendering',
        'renderings',
        'at the same time',
        'callers that got an error',
      ],
      rows,
      goals: [
        {
          text: `one rendering, whether it succeeds or fails: ${own.join(' and ')}`,
          met: own.every((runs) => runs === 1),
        },
      ],
    };
  },
};
