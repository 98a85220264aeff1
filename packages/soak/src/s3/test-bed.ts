import { createImageCache, type ImageCache } from '@imgproxy-cache/core';
import type {
  CacheDriver,
  CacheDriverDefinition,
  ConfigTable,
  ConfigValues,
} from '@imgproxy-cache/core/driver';
import type s3 from '@imgproxy-cache/s3';
import type { WatchedClock } from '../watched-clock.js';
import { DriverWatch } from './driver-watch.js';
import { SECRET_KEY } from './failure-shape.js';
import { watched } from './watched-driver.js';

/** A definition of the S3 driver, or of one that takes the same variables. */
export type S3Definition = CacheDriverDefinition<(typeof s3)['config']>;

/** Most connections of one driver: fewer than operations, so that some wait. */
export const MAX_SOCKETS = 48;

// Low, so that a store that falls silent does not take for ever.
const VARIABLES = {
  IMGPROXY_CACHE_BUCKET: 'soak',
  IMGPROXY_CACHE_S3_REGION: 'us-west-1',
  IMGPROXY_CACHE_S3_MAX_SOCKETS: String(MAX_SOCKETS),
  IMGPROXY_CACHE_S3_CONNECT_TIMEOUT_SECONDS: '0.5',
  IMGPROXY_CACHE_S3_RESPONSE_TIMEOUT_SECONDS: '0.5',
  IMGPROXY_CACHE_S3_IDLE_TIMEOUT_SECONDS: '0.5',
};

const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'SOAKKEY',
  AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** A driver on its own, and another one behind a cache, on one store. */
export class TestBed implements AsyncDisposable {
  readonly driver: CacheDriver;
  readonly driverWatch: DriverWatch;
  readonly cache: ImageCache;
  readonly cacheWatch: DriverWatch;
  readonly clock: WatchedClock;

  static async open(definition: S3Definition, endpoint: string, clock: WatchedClock): Promise<TestBed> {
    Object.assign(process.env, CREDENTIALS);
    const env = { ...VARIABLES, IMGPROXY_CACHE_S3_ENDPOINT: endpoint };
    const driverWatch = new DriverWatch();
    const context = { clock, report: () => undefined, reservedName: 'direct/check' };
    const driver = watched(definition, driverWatch, clock).create(configOf(definition, env), context);
    const cacheWatch = new DriverWatch();
    const cache = await createImageCache({
      env: {
        ...env,
        IMGPROXY_CACHE_USE: 's3',
        IMGPROXY_CACHE_PATH_PREFIX: 'cached',
        IMGPROXY_CACHE_VERIFY_BYTES: '30000',
        // Longer than most operations take with all their attempts. What is left of them at the end runs out soon.
        IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '4',
        IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS: '4',
        IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '4',
      },
      drivers: [watched(definition, cacheWatch, clock)],
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    return new TestBed({ driver, driverWatch, cache, cacheWatch, clock });
  }

  private constructor({
    driver,
    driverWatch,
    cache,
    cacheWatch,
    clock,
  }: Pick<TestBed, 'driver' | 'driverWatch' | 'cache' | 'cacheWatch' | 'clock'>) {
    this.driver = driver;
    this.driverWatch = driverWatch;
    this.cache = cache;
    this.cacheWatch = cacheWatch;
    this.clock = clock;
  }

  /** Operations of both drivers under way, those in the background included. */
  get running(): number {
    return this.driverWatch.running + this.cacheWatch.running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache.close();
    await this.driver.close();
  }
}

/** What core would make of the environment: every variable here is a number or a text. */
function configOf<Table extends ConfigTable>(
  { config }: CacheDriverDefinition<Table>,
  env: Readonly<Record<string, string>>,
): ConfigValues<Table> {
  const values = Object.entries(config).map(([property, variable]) => {
    const text = env[variable.variable];
    if (text === undefined) return [property, variable.default];
    return [property, typeof variable.default === 'number' ? Number(text) : text];
  });
  return Object.fromEntries(values) as ConfigValues<Table>;
}
