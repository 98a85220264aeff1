import {
  CACHE,
  type CacheRequest,
  type CacheStatus,
  cacheModule,
  type FetchResult,
  type ImageCache,
  type Logger,
  type Render,
  type Rendering,
} from '@imgproxy-cache/core';
import {
  type CacheDriver,
  type CacheEntry,
  type Clock,
  checkDriver,
  type DriverCheck,
  defineCacheDriver,
  type OperationOptions,
  type StoredEntry,
  systemClock,
} from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { Container } from 'inversify';

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #time = 1_700_000_000_000;
  #timers = new Set<{ at: number; callback: () => void }>();

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  setTimer(callback: () => void, delay: number): { cancel(): void } {
    const timer = { at: this.#time + delay, callback };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  advance(milliseconds: number): void {
    const end = this.#time + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#time = next.at;
      next.callback();
    }
    this.#time = end;
  }
}

/** What runs before an operation reaches the memory driver; it may wait, throw or answer itself. */
export interface Hooks {
  get?: (name: string, options: OperationOptions) => Promise<StoredEntry | undefined | 'go on'>;
  put?: (name: string, entry: CacheEntry, options: OperationOptions) => Promise<void>;
  delete?: (names: readonly string[]) => Promise<void>;
  check?: () => Promise<void>;
  close?: () => Promise<void>;
}

/** The memory driver with hooks before its operations, and a count of them. */
export class HookedDriver implements CacheDriver {
  readonly calls = { get: 0, put: 0, delete: 0, list: 0, check: 0, close: 0 };

  constructor(
    readonly memory: MemoryDriver,
    readonly hooks: Hooks,
  ) {}

  async get(name: string, options: OperationOptions = {}): Promise<StoredEntry | undefined> {
    this.calls.get++;
    const answer =
      (await this.hooks.get?.(name, options)) ?? (this.hooks.get === undefined ? 'go on' : undefined);
    return answer === 'go on' ? this.memory.get(name) : answer;
  }

  async put(name: string, entry: CacheEntry, options: OperationOptions = {}): Promise<void> {
    this.calls.put++;
    await this.hooks.put?.(name, entry, options);
    await this.memory.put(name, entry);
  }

  async delete(names: readonly string[]): Promise<void> {
    this.calls.delete++;
    await this.hooks.delete?.(names);
    await this.memory.delete(names);
  }

  list(prefix: string): AsyncIterable<string> {
    this.calls.list++;
    return this.memory.list(prefix);
  }

  async check(): Promise<DriverCheck> {
    this.calls.check++;
    await this.hooks.check?.();
    return checkDriver(this.memory, { reservedName: 'check', clock: systemClock });
  }

  async close(): Promise<void> {
    this.calls.close++;
    await this.hooks.close?.();
  }
}

export interface LogLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

interface Surroundings {
  readonly cache: ImageCache;
  readonly clock: ManualClock;
  readonly log: LogLine[];
}

export interface CacheUnderTest extends Surroundings {
  readonly driver: HookedDriver;
  readonly memory: MemoryDriver;
  readonly hooks: Hooks;
}

/** A cache as a host makes one, on a driver whose operations a test can hold up. */
export async function cacheUnderTest(
  env: Readonly<Record<string, string>> = {},
  hooks: Hooks = {},
  maxEntryBytes?: number,
): Promise<CacheUnderTest> {
  const memory = new MemoryDriver();
  const driver = new HookedDriver(memory, hooks);
  const surroundings = await openCache({ hooked: driver }, env, maxEntryBytes);
  return { ...surroundings, driver, memory, hooks };
}

export interface TiersUnderTest extends Surroundings {
  readonly near: HookedDriver;
  readonly far: HookedDriver;
}

/** A cache with two tiers, `near` and `far`. */
export async function tiersUnderTest(env: Readonly<Record<string, string>> = {}): Promise<TiersUnderTest> {
  const near = new HookedDriver(new MemoryDriver(), {});
  const far = new HookedDriver(new MemoryDriver(), {});
  return { ...(await openCache({ near, far }, env)), near, far };
}

/** A cache on drivers by their names. */
export async function openCache(
  drivers: Readonly<Record<string, CacheDriver>>,
  env: Readonly<Record<string, string>>,
  maxEntryBytes?: number,
  clock: ManualClock = new ManualClock(),
): Promise<Surroundings> {
  const log: LogLine[] = [];
  const write =
    (level: string) =>
    (fields: object, message: string): void => {
      log.push({ level, fields: { ...fields }, message });
    };
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const container = new Container();
  container.load(
    await cacheModule({
      env: { IMGPROXY_CACHE_USE: Object.keys(drivers).join(','), ...env },
      drivers: Object.entries(drivers).map(([name, driver]) =>
        defineCacheDriver({
          name,
          contract: 1,
          config: {},
          capabilities: { shared: false, ...(maxEntryBytes !== undefined && { maxEntryBytes }) },
          create: () => driver,
        }),
      ),
    }),
  );
  container.rebind<Clock>(CACHE.Clock).toConstantValue(clock);
  container.rebind<Logger>(CACHE.Logger).toConstantValue(logger);
  return { cache: container.get<ImageCache>(CACHE.ImageCache), clock, log };
}

export const REQUEST: CacheRequest = {
  source: 'https://example.com/cat.jpg',
  options: [['width', '300']],
  format: 'webp',
};

export function bytesOf(size: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed * 17) % 251);
}

/** A renderer that counts its calls. */
export function renderer(
  rendering: Partial<Rendering> | ((call: number) => Partial<Rendering> | Promise<Partial<Rendering>>) = {},
): Render & { calls: number } {
  const render = async (): Promise<Rendering> => {
    const call = render.calls++;
    const made = await (typeof rendering === 'function' ? rendering(call) : rendering);
    return { body: bytesOf(1000), contentType: 'image/webp', ...made };
  };
  render.calls = 0;
  return render;
}

export interface Served {
  readonly status: string;
  readonly body: Uint8Array;
}

/** Consumes an image as a host does. */
export async function served(result: FetchResult | Promise<FetchResult>): Promise<Served> {
  const { status, image } = await result;
  return { status: String(status satisfies CacheStatus), body: await image.bytes() };
}

/** Waits, turn by turn of the event loop and without a clock, until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 10_000) throw new Error(`still not so after ${turn} turns: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
