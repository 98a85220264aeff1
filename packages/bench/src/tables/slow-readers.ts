import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ImageCache } from '@imgproxy-cache/core';
import { IMAGES, imageBody } from '../bodies.js';
import { openCache, renderer, requestOf } from '../peers/imgproxy-cache.js';
import { fakeServer, useCredentials } from '../s3-place.js';
import type { Experiment } from '../table.js';
import { temporaryFolder } from '../temporary-folder.js';

const READERS = Math.min(64, IMAGES);
const FULL_BYTES = 20_000_000;
const LIMIT_MEGABYTES = 200;

/** A cache that has all images, of one size. */
interface FilledCache {
  readonly cache: ImageCache;
  close(): Promise<void>;
}

async function fillFiles(bytes: number): Promise<FilledCache> {
  const folder = await temporaryFolder();
  const cache = await openCache({
    IMGPROXY_CACHE_USE: 'fs',
    IMGPROXY_CACHE_FS_ROOT: folder.path,
    IMGPROXY_CACHE_REPORT_ERRORS: '1',
  });
  const body = imageBody(bytes, 0);
  for (let index = 0; index < READERS; index++) await cache.fetch(requestOf(index), renderer(body));
  return {
    cache,
    async close() {
      await cache.close();
      await folder.remove();
    },
  };
}

const openServer = fakeServer({ tls: false });

async function findBucket(bytes: number): Promise<FilledCache> {
  const place = await openServer();
  useCredentials(place);
  const cache = await openCache({
    IMGPROXY_CACHE_USE: 's3',
    IMGPROXY_CACHE_BUCKET: place.bucket(bytes),
    IMGPROXY_CACHE_S3_ENDPOINT: place.endpoint,
    // The server forgets what the check at the start puts, which must not keep the cache from starting.
    IMGPROXY_CACHE_REPORT_ERRORS: '0',
  });
  return {
    cache,
    async close() {
      await cache.close();
      await place.close();
    },
  };
}

/** What reading slowly, by all readers at once, costs. */
async function readSlowly(
  { cache }: FilledCache,
  bytes: number,
): Promise<{ readonly megabytes: number; readonly delayMilliseconds: number }> {
  const before = process.memoryUsage.rss();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let most = 0;
  let received = 0;
  const read = async (index: number): Promise<void> => {
    const { image } = await cache.fetch(requestOf(index), () => {
      throw new Error('a miss where a hit was expected');
    });
    for await (const chunk of image.stream()) {
      received += (chunk as Buffer).length;
      most = Math.max(most, process.memoryUsage.rss() - before);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all(Array.from({ length: READERS }, (_, index) => read(index)));
  delay.disable();
  if (received !== bytes * READERS) throw new Error(`received ${received} bytes of ${bytes * READERS}`);
  return { megabytes: most / 1_000_000, delayMilliseconds: delay.percentile(99) / 1_000_000 };
}

export const slowReaders: Experiment = {
  name: 'slow-readers',
  title: 'Large hits to slow readers',
  operation: `${READERS} concurrent hits of 20 MB each, to readers that take a little at a time.`,
  async run({ scale }) {
    const bytes = Math.max(2_000_000, FULL_BYTES * scale);
    const rows: (string | number)[][] = [];
    const goals: { text: string; met: boolean }[] = [];
    const stores = { S3: findBucket, files: fillFiles };
    for (const [name, open] of Object.entries(stores)) {
      const filled = await open(bytes);
      try {
        const { megabytes, delayMilliseconds } = await readSlowly(filled, bytes);
        rows.push([name, READERS, bytes, megabytes.toFixed(0), delayMilliseconds.toFixed(1)]);
        goals.push({
          text: `from ${name}, resident memory grows by less than ${LIMIT_MEGABYTES} MB: ${megabytes.toFixed(0)}`,
          met: megabytes < LIMIT_MEGABYTES,
        });
      } finally {
        await filled.close();
      }
    }
    return {
      columns: [
        'from',
        'readers',
        'bytes each',
        'resident memory grew by, MB',
        "p99 of the event loop's delay, ms",
      ],
      rows,
      goals,
    };
  },
};
