import { setTimeout as delay } from 'node:timers/promises';
import { readVerified, verifyName } from '@imgproxy-cache/core/driver';
import { Findings } from '../findings.js';
import { type MemorySample, sampleMemory } from '../memory.js';
import { SeededRandom } from '../seeded-random.js';
import { CacheEventTally } from './cache-events.js';
import { CachedTraffic } from './cached-traffic.js';
import { Callers } from './caller.js';
import { DirectTraffic } from './direct-traffic.js';
import { Images } from './images.js';
import { ABSENT, type StoreReport, type Version, versionOf } from './journal.js';
import { withPatience } from './patience.js';
import type { StoreProcess } from './store-process.js';
import { StoredModel } from './stored-model.js';
import { MAX_SOCKETS, type TestBed } from './test-bed.js';
import { TrafficRecord } from './traffic.js';
import { WireTally } from './wire-tally.js';

const LANES = 64;
/** Share of the operations that go through the cache. */
const CACHED = 0.3;
const LOOKS = 20;
const PAUSE_MS = 50;

export interface S3RunOptions {
  readonly seed: number;
  /** In milliseconds. */
  readonly patience: number;
}

/** Random traffic on a test bed in rounds. After each, when all is quiet, it is held against the store's journal. */
export class S3Run {
  readonly record: TrafficRecord;
  readonly events = new CacheEventTally();
  readonly wire = new WireTally();
  readonly cached: CachedTraffic;
  readonly memory: MemorySample[] = [];
  /** Listeners on the signals of operations that are over. */
  readonly listeners = new Findings();
  /** What was under way when nothing should have been. */
  readonly unrest = new Findings();
  /** What failed after the store had become sound. */
  readonly relapses = new Findings();
  /** Most connections that were open while nothing was under way. */
  idleConnections = 0;
  /** Entries that were read again after the store had become sound. */
  recovered = 0;
  /** Requests that the store has received. */
  received = 0;
  faults: StoreReport['faults'] = {};
  readonly #bed: TestBed;
  readonly #store: StoreProcess;
  readonly #random: SeededRandom;
  readonly #patience: number;
  readonly #direct: DirectTraffic;
  readonly #model = new StoredModel();
  readonly #callers = new Callers();

  constructor(bed: TestBed, store: StoreProcess, { seed, patience }: S3RunOptions) {
    this.#bed = bed;
    this.#store = store;
    this.#random = new SeededRandom(seed);
    this.#patience = patience;
    this.record = new TrafficRecord(new Images(seed), patience);
    this.#direct = new DirectTraffic(bed.driver, this.record);
    this.cached = new CachedTraffic(bed.cache, this.record);
  }

  subscribe(): void {
    this.events.subscribe();
    this.wire.subscribe();
  }

  unsubscribe(): void {
    this.events.unsubscribe();
    this.wire.unsubscribe();
  }

  async round(operations: number): Promise<void> {
    let left = operations;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#perform();
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await this.#judge();
    const listeners = this.#callers.countListeners();
    if (listeners > 0) this.listeners.add(`${listeners} listeners`);
    this.memory.push(sampleMemory());
  }

  /** Reads all that is stored, from a store that has become sound. */
  async recover(): Promise<void> {
    for (const [name, version] of this.#model.current()) {
      this.recovered += 1;
      try {
        await withPatience(this.#readAgain(name, version), this.#patience);
      } catch (error) {
        this.relapses.add(`a get of ${name}: ${String(error).slice(0, 200)}`);
      }
    }
    await this.#judge();
  }

  async #readAgain(name: string, version: Version): Promise<void> {
    const entry = await this.#bed.driver.get(name);
    if (version === ABSENT && entry === undefined) return;
    if (entry === undefined) throw new Error('a miss');
    verifyName(entry.metadata, name);
    this.record.deliver(versionOf(entry.metadata.etag), await readVerified(entry), `a late get of ${name}`);
  }

  async #perform(): Promise<void> {
    // Drawn at once, so that a seed gives the same operations whatever becomes of them.
    const random = new SeededRandom(this.#random.uint32());
    const caller = this.#callers.next(random);
    const traffic = random.next() < CACHED ? this.cached : this.#direct;
    await traffic.perform(random, caller.signal);
    caller.done();
  }

  async #judge(): Promise<void> {
    const report = await this.#rest();
    this.received = report.requests;
    this.faults = report.faults;
    this.idleConnections = Math.max(this.idleConnections, report.connections);
    this.#model.take(report.changes);
    for (const watch of [this.#bed.driverWatch, this.#bed.cacheWatch]) watch.judge(this.#model);
  }

  /** Waits until nothing is under way; what still is when patience ends is noted. */
  async #rest(): Promise<StoreReport> {
    const changes: StoreReport['changes'][number][] = [];
    const began = performance.now();
    for (;;) {
      await this.#settleStores();
      const report = await this.#store.report();
      changes.push(...report.changes);
      const unrest = this.#unrestOf(report);
      const given = unrest !== '' && performance.now() - began > this.#patience;
      if (given) this.unrest.add(unrest);
      if (unrest === '' || given) return { ...report, changes };
      await delay(PAUSE_MS);
    }
  }

  #unrestOf({ answering, connections }: StoreReport): string {
    const active = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const timers = this.#bed.clock.pending;
    return [
      ...(this.#bed.running > 0 ? [`${this.#bed.running} operations of drivers`] : []),
      ...(answering > 0 ? [`${answering} requests at the store`] : []),
      ...(active > 0 ? [`${active} sockets in use`] : []),
      ...(connections > 2 * MAX_SOCKETS ? [`${connections} connections`] : []),
      // A pool may have one for each of its connections.
      ...(timers > connections ? [`${timers} timers`] : []),
    ].join(', ');
  }

  /** What a cache stores behind its requests' backs goes from one store to the next without a pause. */
  async #settleStores(): Promise<void> {
    for (let quiet = 0, look = 0; quiet < 3 && look < LOOKS; look += 1) {
      quiet = this.#bed.running === 0 ? quiet + 1 : 0;
      await delay(10);
    }
  }
}
