import diagnostics from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { type CacheEvents, createImageCache, type ImageCache } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  type CacheDriverDefinition,
  type Clock,
  readVerified,
  systemClock,
  verifyName,
} from '@imgproxy-cache/core/driver';
import type s3 from '@imgproxy-cache/s3';
import type { FakeS3Process } from 'fake-s3';
import { MemorySamples } from '../memory.js';
import { Findings, inLanes, Tally } from '../soak.js';
import { bucketEnv, openDriver, SILENT_LOGGER } from '../stores.js';
import { DriverWatch } from './driver-watch.js';
import { S3Traffic, withPatience } from './s3-traffic.js';
import { ABSENT, StoreModel, type StoreReport, type Version } from './store-model.js';

/** A definition of the S3 driver, or of one that takes the same variables. */
export type S3Definition = CacheDriverDefinition<(typeof s3)['config']>;

/** Most connections of one driver: fewer than operations, so that some wait. */
export const MAX_SOCKETS = 48;
const LANES = 64;
const LOOKS = 20;
const PAUSE = 50;
/** Of node:http and of undici. */
const WIRE_CHANNELS = ['http.client.request.start', 'undici:request:create'];

// Low, so that a store that falls silent does not hold up the run.
const DRIVER_ENV = {
  IMGPROXY_CACHE_S3_MAX_SOCKETS: String(MAX_SOCKETS),
  IMGPROXY_CACHE_S3_CONNECT_TIMEOUT_SECONDS: '0.5',
  IMGPROXY_CACHE_S3_RESPONSE_TIMEOUT_SECONDS: '0.5',
  IMGPROXY_CACHE_S3_IDLE_TIMEOUT_SECONDS: '0.5',
};
const CACHE_ENV = {
  IMGPROXY_CACHE_PATH_PREFIX: 'cached',
  IMGPROXY_CACHE_VERIFY_BYTES: '30000',
  // Longer than most operations take with all their attempts. What is left of them at the end runs out soon.
  IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '4',
  IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS: '4',
  IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '4',
};

/** The system's clock, which counts the timers that have neither fired nor been cancelled. */
export class CountingClock implements Clock {
  readonly now = systemClock.now;
  readonly monotonic = systemClock.monotonic;
  readonly #timers = new Set<object>();

  get timers(): number {
    return this.#timers.size;
  }

  setTimer(callback: () => void, milliseconds: number): ReturnType<Clock['setTimer']> {
    const key = {};
    const timer = systemClock.setTimer(() => {
      this.#timers.delete(key);
      callback();
    }, milliseconds);
    this.#timers.add(key);
    return {
      cancel: () => {
        this.#timers.delete(key);
        timer.cancel();
      },
    };
  }
}

export interface S3RunOptions {
  readonly definition: S3Definition;
  readonly store: FakeS3Process;
  readonly clock: CountingClock;
  readonly seed: number;
  /** How long is waited for an operation, or for rest, in milliseconds. */
  readonly patience: number;
}

/**
 * Random traffic in rounds on a driver, and on a cache with another one. After each round, when all is quiet, the answers
 * are compared with the store's journal.
 */
export class S3Run {
  readonly traffic: S3Traffic;
  readonly driverWatch: DriverWatch;
  readonly cacheWatch: DriverWatch;
  readonly memory = new MemorySamples();
  /** Listeners on the signals of operations that are over. */
  readonly listeners = new Findings();
  /** What was under way when nothing should have been. */
  readonly unrest = new Findings();
  /** What failed after the store had become sound. */
  readonly relapses = new Findings();
  /** Unhandled rejections and warnings. */
  readonly incidents = new Findings();
  /** Events of the cache: operations by code, `request` and `corrupt`. */
  readonly events = new Tally();
  /** Requests that this process has begun to send, and that the store has received. */
  sent = 0;
  received = 0;
  /** Most connections that were open while nothing was under way. */
  idleConnections = 0;
  /** Entries that were read again after the store had become sound. */
  recovered = 0;
  faults: StoreReport['faults'] = {};
  readonly #driver: CacheDriver;
  readonly #cache: ImageCache;
  readonly #options: S3RunOptions;
  readonly #model = new StoreModel();
  readonly #end: () => void;

  static async open(options: S3RunOptions): Promise<S3Run> {
    const { definition, store, clock } = options;
    const watches = [new DriverWatch(), new DriverWatch()] as const;
    const env = { ...bucketEnv(store.endpoint), ...DRIVER_ENV };
    const driver = openDriver(watches[0].wrap(definition, clock), env);
    const cache = await createImageCache({
      env: { ...env, ...CACHE_ENV },
      drivers: [watches[1].wrap(definition, clock)],
      logger: SILENT_LOGGER,
    });
    return new S3Run(driver, cache, watches, options);
  }

  private constructor(
    driver: CacheDriver,
    cache: ImageCache,
    [driverWatch, cacheWatch]: readonly [DriverWatch, DriverWatch],
    options: S3RunOptions,
  ) {
    this.driverWatch = driverWatch;
    this.cacheWatch = cacheWatch;
    this.traffic = new S3Traffic(driver, cache, options.seed, options.patience);
    this.#driver = driver;
    this.#cache = cache;
    this.#options = options;
    this.#end = this.#listen();
  }

  async round(operations: number): Promise<void> {
    let left = operations;
    await inLanes(LANES, async () => {
      if (left <= 0) return false;
      left -= 1;
      await this.traffic.perform();
      return true;
    });
    await this.#judge();
    const listeners = this.traffic.countListeners();
    if (listeners > 0) this.listeners.add(`${listeners} listeners`);
    this.memory.take(this.traffic.issued);
  }

  /** Reads everything that is stored, from a store that has become sound. */
  async recover(): Promise<void> {
    for (const [name, version] of this.#model.current()) {
      this.recovered += 1;
      try {
        await withPatience(this.#readAgain(name, version), this.#options.patience);
      } catch (error) {
        this.relapses.add(`a get of ${name}: ${String(error).slice(0, 200)}`);
      }
    }
    await this.#judge();
  }

  async close(): Promise<void> {
    await this.#cache.close();
    await this.#driver.close();
    this.#end();
  }

  async #readAgain(name: string, version: Version): Promise<void> {
    const entry = await this.#driver.get(name);
    if (version === ABSENT && entry === undefined) return;
    if (entry === undefined) throw new Error('a miss');
    verifyName(entry.metadata, name);
    this.traffic.deliver(entry.metadata.etag, await readVerified(entry), `a late get of ${name}`);
  }

  async #judge(): Promise<void> {
    const report = await this.#rest();
    this.received = report.requests;
    this.faults = report.faults;
    this.idleConnections = Math.max(this.idleConnections, report.connections);
    this.#model.take(report.changes);
    for (const watch of [this.driverWatch, this.cacheWatch]) watch.judge(this.#model);
  }

  /** Waits until nothing is under way. What still is when patience ends is a finding. */
  async #rest(): Promise<StoreReport> {
    const changes: StoreReport['changes'][number][] = [];
    const began = performance.now();
    for (;;) {
      // The cache's queue goes from one store to the next without a pause.
      for (let quiet = 0, look = 0; quiet < 3 && look < LOOKS; look += 1) {
        quiet = this.#running === 0 ? quiet + 1 : 0;
        await delay(10);
      }
      const report = (await this.#options.store.ask('report')) as StoreReport;
      changes.push(...report.changes);
      const unrest = this.#unrestOf(report);
      const isGivenUp = unrest !== '' && performance.now() - began > this.#options.patience;
      if (isGivenUp) this.unrest.add(unrest);
      if (unrest === '' || isGivenUp) return { ...report, changes };
      await delay(PAUSE);
    }
  }

  get #running(): number {
    return this.driverWatch.running + this.cacheWatch.running;
  }

  #unrestOf({ answering, connections }: StoreReport): string {
    const active = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const { timers } = this.#options.clock;
    return [
      ...(this.#running > 0 ? [`${this.#running} operations of drivers`] : []),
      ...(answering > 0 ? [`${answering} requests at the store`] : []),
      ...(active > 0 ? [`${active} sockets in use`] : []),
      ...(connections > 2 * MAX_SOCKETS ? [`${connections} connections`] : []),
      // A pool may have one for each of its connections.
      ...(timers > connections ? [`${timers} timers`] : []),
    ].join(', ');
  }

  /** Listens to the process, the cache and the wire. @returns what ends it */
  #listen(): () => void {
    const onOperation = (message: unknown): void => {
      const { operation, code = 'done' } = message as CacheEvents['imgproxy-cache:operation'];
      this.events.add(operation, code);
    };
    const onSent = (): void => {
      this.sent += 1;
    };
    const channels: [string, (message: unknown) => void][] = [
      ['imgproxy-cache:request', () => this.events.add('request', 'done')],
      ['imgproxy-cache:corrupt', () => this.events.add('corrupt', 'done')],
      ['imgproxy-cache:operation', onOperation],
      ...WIRE_CHANNELS.map((channel): [string, () => void] => [channel, onSent]),
    ];
    const onRejection = (reason: unknown): void =>
      this.incidents.add(`an unhandled rejection: ${String(reason).slice(0, 200)}`);
    const onWarning = (warning: Error): void =>
      this.incidents.add(`a warning: ${String(warning).slice(0, 200)}`);
    for (const [channel, listener] of channels) diagnostics.subscribe(channel, listener);
    process.on('unhandledRejection', onRejection).on('warning', onWarning);
    return () => {
      for (const [channel, listener] of channels) diagnostics.unsubscribe(channel, listener);
      process.off('unhandledRejection', onRejection).off('warning', onWarning);
    };
  }
}
