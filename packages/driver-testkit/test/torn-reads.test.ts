import {
  type CacheDriver,
  type CacheEntry,
  type ConfigTable,
  createEntry,
  isCacheError,
  systemClock,
} from '@imgproxy-cache/core/driver';
import type { DriverSubject } from '@imgproxy-cache/driver-testkit';
import { expect, it } from 'vitest';
import { bentocache } from './bentocache-driver.js';
import { filesystem } from './filesystem-subject.js';
import { runContract } from './rule-run.js';

const NAME = 'images/overwritten';
const BODY_BYTES = 4 * 1024 * 1024;
const READERS = 4;
const READS_PER_OVERWRITE = 20;

it('readers of a driver that writes in place get torn entries, and the rule says so', async () => {
  const { failures } = await runContract(bentocache, 'torn-reads');
  expect(failures.get('torn-reads')?.message).toMatch(/^get during an overwrite: expected a whole entry/);
  const { torn } = await readDuringOverwrites(bentocache, 100);
  expect(torn).toBeGreaterThan(0);
}, 60_000);

it('none of 10,000 reads of the filesystem driver during overwrites is torn', async () => {
  const { failures } = await runContract(filesystem, 'torn-reads');
  expect(failures.size).toBe(0);
  const { torn, whole, overwrites } = await readDuringOverwrites(filesystem, 10_000);
  expect({ torn, whole }).toEqual({ torn: 0, whole: 10_000 });
  expect(overwrites).toBeGreaterThan(100);
}, 120_000);

interface Reads {
  torn: number;
  whole: number;
  overwrites: number;
}

/** Reads one name so many times, by several readers, while it is overwritten again and again with 4 MiB. */
async function readDuringOverwrites<Table extends ConfigTable>(
  { definition, prepare }: DriverSubject<Table>,
  count: number,
): Promise<Reads> {
  const { config, dispose } = await prepare();
  const context = { clock: systemClock, reservedName: 'check', report: () => undefined };
  const [writer, reader] = [definition.create(config, context), definition.create(config, context)];
  const versions = [1, 2].map((fill) =>
    createEntry({ name: NAME, contentType: 'image/png', created: fill }, Buffer.alloc(BODY_BYTES, fill)),
  );
  const reads = { torn: 0, whole: 0, overwrites: 0 };
  const overwrite = (): Promise<void> => {
    reads.overwrites += 1;
    return writer.put(NAME, versions[reads.overwrites % 2] as CacheEntry);
  };
  const readShare = async (): Promise<void> => {
    let writing: Promise<void> | undefined;
    for (let read = 0; read < count / READERS; read += 1) {
      if (read % READS_PER_OVERWRITE === 0) {
        await writing;
        writing = overwrite();
      }
      reads[(await isWhole(reader, versions)) ? 'whole' : 'torn'] += 1;
    }
    await writing;
  };
  try {
    await overwrite();
    await Promise.all(Array.from({ length: READERS }, readShare));
  } finally {
    await Promise.all([writer.close(), reader.close()]);
    await dispose?.();
  }
  return reads;
}

/** Compares with what was put, which finds more than a checksum, and faster. */
async function isWhole(driver: CacheDriver, versions: readonly CacheEntry[]): Promise<boolean> {
  try {
    const found = await driver.get(NAME);
    const version = versions.find(({ metadata }) => metadata.created === found?.metadata.created);
    if (found === undefined || version === undefined) throw new Error('an entry that was there is not');
    return Buffer.compare(await found.bytes(), version.body) === 0;
  } catch (error) {
    if (isCacheError(error) && error.code === 'ERR_CACHE_CORRUPT') return false;
    throw error;
  }
}
