import { IMAGES, imageBody } from '../bodies.js';
import { openCache, renderer, requestOf } from '../peers/imgproxy-cache.js';
import type { Experiment } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';

const READERS = Math.min(64, IMAGES);
const FULL_BYTES = 20_000_000;

export const slowReaders: Experiment = {
  name: 'slow-readers',
  title: 'Large hits to slow readers',
  operation: `${READERS} concurrent hits of 20 MB each from fs, to readers that take a little at a time.`,
  async run({ scale }) {
    const bytes = Math.max(2_000_000, FULL_BYTES * scale);
    const folder = await temporaryFolder();
    const cache = await openCache({
      IMGPROXY_CACHE_USE: 'fs',
      IMGPROXY_CACHE_FS_ROOT: folder.path,
      IMGPROXY_CACHE_REPORT_ERRORS: '1',
    });
    try {
      const body = imageBody(bytes, 0);
      for (let index = 0; index < READERS; index++) await cache.fetch(requestOf(index), renderer(body));
      globalThis.gc?.();
      const before = process.memoryUsage().rss;
      let most = 0;
      let received = 0;
      const readSlowly = async (index: number): Promise<void> => {
        const { image } = await cache.fetch(requestOf(index), () => {
          throw new Error('a miss where a hit was expected');
        });
        for await (const chunk of image.stream()) {
          received += (chunk as Buffer).length;
          most = Math.max(most, process.memoryUsage.rss() - before);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await Promise.all(Array.from({ length: READERS }, (_, index) => readSlowly(index)));
      if (received !== bytes * READERS) throw new Error(`received ${received} bytes of ${bytes * READERS}`);
      const megabytes = most / 1_000_000;
      return {
        columns: ['readers', 'bytes each', 'resident memory grew by, MB'],
        rows: [[READERS, bytes, megabytes.toFixed(0)]],
        goals: [
          {
            text: `resident memory grows by less than 200 MB: ${megabytes.toFixed(0)}`,
            met: megabytes < 200,
          },
        ],
      };
    } finally {
      await cache.close();
      await folder.remove();
    }
  },
};
