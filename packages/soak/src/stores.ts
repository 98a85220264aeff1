import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImageCache } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  type CacheDriverDefinition,
  type Clock,
  type ConfigTable,
  type ConfigValues,
  readVerified,
  systemClock,
  verifyName,
} from '@imgproxy-cache/core/driver';
import fs from '@imgproxy-cache/fs';
import s3 from '@imgproxy-cache/s3';
import { FakeS3Process } from 'fake-s3';
import { bodyOf, etagOf, problemOfImage, urlOf } from './images.js';
import type { SeededRandom } from './random.js';
import { inLanes } from './soak.js';

/** Variables of a process. */
export type Environment = Readonly<Record<string, string>>;

export const SECRET_KEY = 'soak-secret-that-nobody-may-tell';
export const SILENT_LOGGER = { debug() {}, info() {}, warn() {}, error() {} };

const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'SOAKKEY',
  AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  AWS_EC2_METADATA_DISABLED: 'true',
};
const RESERVED_NAME = 'v1/check';
/** Where the fs driver writes files that are not complete yet, under names of numbers. */
const UNFINISHED = '.imgproxy-cache-tmp';
const TEMPORARY = /^[0-9a-f]{16}-\d+-\d+-[0-9a-f]{8}-\d+$/;
const LANES = 16;

/** A store that several hosts use. */
export interface Site extends AsyncDisposable {
  readonly use: 'fs' | 's3';
  /** The variables with which a host uses it. */
  readonly env: Environment;
  /** Counts what hosts have left there besides entries: unfinished files, or connections. Live hosts count too. */
  countLeftovers(): Promise<number>;
  openDriver(): CacheDriver;
}

/** Variables for a bucket of a fake S3. */
export function bucketEnv(endpoint: string): Environment {
  return {
    IMGPROXY_CACHE_USE: 's3',
    IMGPROXY_CACHE_BUCKET: 'cache',
    IMGPROXY_CACHE_S3_ENDPOINT: endpoint,
    IMGPROXY_CACHE_S3_REGION: 'us-west-1',
    ...CREDENTIALS,
  };
}

export async function openFolder(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'imgproxy-cache-soak-'));
  const env = { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: folder };
  return {
    use: 'fs',
    env,
    async countLeftovers() {
      const files = await readdir(join(folder, UNFINISHED)).catch(() => []);
      return files.filter((file) => TEMPORARY.test(file) || !file.includes('.')).length;
    },
    openDriver: () => openDriver(fs, env),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

export async function openBucket(): Promise<Site> {
  const store = await FakeS3Process.start();
  const env = bucketEnv(store.endpoint);
  return {
    use: 's3',
    env,
    countLeftovers: () => store.connections(),
    openDriver: () => openDriver(s3, env),
    [Symbol.asyncDispose]: () => store.kill(),
  };
}

/** Opens a driver without a cache. Variables that are set must be numbers or texts. */
export function openDriver<Table extends ConfigTable>(
  definition: CacheDriverDefinition<Table>,
  env: Environment,
  clock: Clock = systemClock,
): CacheDriver {
  // The SDK takes its credentials from the environment of the process alone.
  Object.assign(process.env, CREDENTIALS);
  const values = Object.entries(definition.config).map(([property, { variable, default: otherwise }]) => {
    const text = env[variable];
    if (text === undefined) return [property, otherwise];
    return [property, typeof otherwise === 'number' ? Number(text) : text];
  });
  const config = Object.fromEntries(values) as ConfigValues<Table>;
  return definition.create(config, { clock, report: () => undefined, reservedName: RESERVED_NAME });
}

/** Reads and verifies all entries of a store that nobody writes to. @returns how many there are, and what is wrong */
export async function readStoredEntries(site: Site): Promise<{ entries: number; problems: string[] }> {
  const driver = site.openDriver();
  const problems: string[] = [];
  let entries = 0;
  for await (const name of driver.list('')) {
    if (name === RESERVED_NAME) continue;
    entries += 1;
    const problem = await problemOfEntry(driver, name);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  await driver.close();
  if (entries === 0) problems.push(`nothing is stored on ${site.use}`);
  return { entries, problems };
}

async function problemOfEntry(driver: CacheDriver, name: string): Promise<string | undefined> {
  try {
    await using entry = await driver.get(name);
    if (entry === undefined) return 'it is listed and a miss';
    verifyName(entry.metadata, name);
    return problemOfImage(entry.metadata.etag, await readVerified(entry));
  } catch (error) {
    return String(error).slice(0, 200);
  }
}

/** Stores images of ever higher sources, up to so many bytes together, as hosts do. */
export async function storeImages(
  { env }: Site,
  bytes: number,
  largest: number,
  random: SeededRandom,
): Promise<void> {
  // With reported errors an image is stored before it is served.
  const cache = await createImageCache({
    env: { ...env, IMGPROXY_CACHE_REPORT_ERRORS: 'true' },
    drivers: [fs, s3],
    logger: SILENT_LOGGER,
  });
  let stored = 0;
  let sources = 0;
  await inLanes(LANES, async () => {
    if (stored >= bytes) return false;
    const image = { source: sources, version: random.uint32(), size: 1 + random.below(largest) };
    sources += 1;
    stored += image.size;
    await cache.fetch({ source: urlOf(image.source) }, () => ({
      body: bodyOf(image),
      contentType: 'image/webp',
      etag: etagOf(image),
    }));
    return true;
  });
  await cache.close();
}

/** Bytes of all entries in a folder of the fs driver. Hosts may evict files and folders meanwhile. */
export async function sizeOfFolder(folder: string): Promise<number> {
  const found = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = found
    .filter(({ name }) => name !== UNFINISHED)
    .map(async (each) => {
      const path = join(folder, each.name);
      if (each.isDirectory()) return await sizeOfFolder(path);
      return (await lstat(path).catch(() => undefined))?.size ?? 0;
    });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
