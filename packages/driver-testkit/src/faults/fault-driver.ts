import {
  type CacheDriver,
  type CacheEntry,
  type Clock,
  checkDriver,
  type DriverCheck,
  type OperationOptions,
  type StoredEntry,
  systemClock,
} from '@imgproxy-cache/core/driver';
import { SeededRandom } from '../seeded-random.js';
import {
  type BodyEffect,
  FAULT_POINTS,
  type FaultConditions,
  type FaultEffect,
  type FaultPoint,
} from './fault.js';
import { FaultyEntry } from './faulty-entry.js';
import { InjectedFault } from './injected-fault.js';
import { suffer } from './suffer.js';

export interface FaultDriverOptions {
  /** The clock of delays and conditions. Default: the system's. */
  readonly clock?: Clock;
  /** Seed of the probabilities. Default: 1. */
  readonly seed?: number;
}

/**
 * Wraps any driver and injects faults at run time, for tests of code that uses a driver. Faults of one point strike
 * in the order of their injection, until one of them ends the call. Entries are never `verified`, so that their reader
 * detects damage.
 *
 * @example
 * const faults = new FaultDriver(new MemoryDriver());
 * const outage = faults.inject('get', { kind: 'error', code: 'ERR_CACHE_UNAVAILABLE' });
 * // … requests are rendered without the cache …
 * outage.remove();
 */
export class FaultDriver implements CacheDriver {
  readonly #driver: CacheDriver;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #faults = new Set<InjectedFault>();
  readonly #calls = new Map<FaultPoint, number>();
  readonly #strikes = new Map<FaultPoint, number>();

  constructor(driver: CacheDriver, { clock = systemClock, seed = 1 }: FaultDriverOptions = {}) {
    this.#driver = driver;
    this.#clock = clock;
    this.#random = new SeededRandom(seed);
  }

  /** Injects a fault at a point. */
  inject(point: 'body', effect: BodyEffect, conditions?: FaultConditions): InjectedFault;
  inject(
    point: Exclude<FaultPoint, 'body'>,
    effect: FaultEffect,
    conditions?: FaultConditions,
  ): InjectedFault;
  inject(
    point: FaultPoint,
    effect: FaultEffect | BodyEffect,
    conditions: FaultConditions = {},
  ): InjectedFault {
    const time = { clock: this.#clock, random: this.#random };
    const fault = new InjectedFault(point, effect, conditions, time, (each) => this.#faults.delete(each));
    this.#faults.add(fault);
    return fault;
  }

  /** Removes all faults. Operations that hang because of them continue. */
  clear(): void {
    for (const fault of [...this.#faults]) fault.remove();
  }

  /** Number of calls at each point, with and without a fault. */
  get calls(): Readonly<Record<FaultPoint, number>> {
    return countsOf(this.#calls);
  }

  /** How many faults have struck at each point, including removed ones. */
  get strikes(): Readonly<Record<FaultPoint, number>> {
    return countsOf(this.#strikes);
  }

  async get(name: string, options: OperationOptions = {}): Promise<StoredEntry | undefined> {
    const entry = await this.#pass<StoredEntry | undefined>('get', [name], options, {
      real: () => this.#driver.get(name, options),
      lie: undefined,
      undo: (lost) => lost?.discard(),
    });
    return entry && new FaultyEntry(entry, this.#clock, () => [...this.#strikesAt('body', [name])]);
  }

  put(name: string, entry: CacheEntry, options: OperationOptions = {}): Promise<void> {
    return this.#pass('put', [name], options, {
      real: () => this.#driver.put(name, entry, options),
      lie: undefined,
    });
  }

  delete(names: readonly string[], options: OperationOptions = {}): Promise<void> {
    return this.#pass('delete', names, options, {
      real: () => this.#driver.delete(names, options),
      lie: undefined,
    });
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    const names: AsyncIterable<string> = await this.#pass('list', [prefix], options, {
      real: async () => this.#driver.list(prefix, options),
      lie: noNames(),
    });
    yield* names;
  }

  check(options: OperationOptions = {}): Promise<DriverCheck> {
    return this.#pass('check', undefined, options, {
      real: () => checkDriver(this.#driver, { reservedName: 'check', clock: this.#clock }, options),
      lie: { ok: true, findings: [] },
    });
  }

  close(): Promise<void> {
    return this.#pass('close', undefined, {}, { real: () => this.#driver.close(), lie: undefined });
  }

  async #pass<Value>(
    point: Exclude<FaultPoint, 'body'>,
    names: readonly string[] | undefined,
    { signal }: OperationOptions,
    answer: {
      readonly real: () => Promise<Value>;
      readonly lie: Value;
      readonly undo?: (lost: Value) => Promise<void> | undefined;
    },
  ): Promise<Value> {
    for (const fault of this.#strikesAt(point, names)) {
      const { effect } = fault;
      if (effect.kind === 'lie') return answer.lie;
      if (effect.kind === 'error' && effect.done === true) {
        const lost = await answer.real();
        await answer.undo?.(lost);
      }
      await suffer(fault, this.#clock, signal, point);
    }
    return await answer.real();
  }

  *#strikesAt(point: FaultPoint, names: readonly string[] | undefined): Generator<InjectedFault> {
    increment(this.#calls, point);
    for (const fault of [...this.#faults]) {
      if (fault.point !== point || !fault.strike(names)) continue;
      increment(this.#strikes, point);
      yield fault;
    }
  }
}

async function* noNames(): AsyncGenerator<string, void, undefined> {}

function increment(counts: Map<FaultPoint, number>, point: FaultPoint): void {
  counts.set(point, (counts.get(point) ?? 0) + 1);
}

function countsOf(counts: ReadonlyMap<FaultPoint, number>): Readonly<Record<FaultPoint, number>> {
  return Object.fromEntries(FAULT_POINTS.map((point) => [point, counts.get(point) ?? 0])) as Record<
    FaultPoint,
    number
  >;
}
