import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type {
  CorruptEvent,
  FetchResult,
  ImageCache,
  NotStoredEvent,
  OperationEvent,
  RequestEvent,
} from '@imgproxy-cache/core';
import { CacheError, isCacheError } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { HookedDriver, ManualClock, openCache } from './cache-under-test.js';

const SOURCES = 3;
// Its images are nobody else's.
const PRIVATE_SOURCE = 2;
const index = fc.nat(1_000_000);
const source = fc.nat(SOURCES - 1);
const oneIn = (count: number) => fc.nat(count - 1).map((drawn) => drawn === 0);

type Outcome = 'right' | 'failed' | 'corrupt';

/** What happens next. An index chooses among what is under way, however much that is. */
type Action =
  | { readonly kind: 'request'; readonly source: number }
  | { readonly kind: 'abort'; readonly index: number }
  | { readonly kind: 'end rendering'; readonly index: number; readonly fails: boolean }
  | { readonly kind: 'end operation'; readonly index: number; readonly outcome: Outcome }
  | { readonly kind: 'evict'; readonly index: number }
  | { readonly kind: 'change source'; readonly source: number; readonly purges: boolean }
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'restart' };

const kind = <Kind extends Action['kind']>(name: Kind) => fc.constant(name);
const outcome = fc.constantFrom<Outcome[]>('right', 'right', 'right', 'right', 'failed', 'corrupt');
const milliseconds = fc.constantFrom(1, 100, 1000, 5000, 31_000);

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: kind('request'), source }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('abort'), index }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('end rendering'), index, fails: oneIn(5) }) },
  { weight: 9, arbitrary: fc.record({ kind: kind('end operation'), index, outcome }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('evict'), index }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('change source'), source, purges: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('wait'), milliseconds }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('restart') }) },
);

const ENV = {
  // One rendering of an image at a time is the promise, and giving up a slow one the exception.
  IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS: '3600',
  IMGPROXY_CACHE_BREAKER_MIN_OPERATIONS: '4',
  IMGPROXY_CACHE_STORE_QUEUE_MAX_ENTRIES: '2',
  IMGPROXY_CACHE_STORE_CONCURRENCY: '1',
  IMGPROXY_CACHE_TTL_SECONDS: '60',
  IMGPROXY_CACHE_TIER_TTL_SECONDS: '2',
};

class RenderingFailed extends Error {}

interface Request {
  readonly controller: AbortController;
  renderings: number;
  settled: boolean;
}

interface RunningRendering {
  /** Renderings of the same are never under way at the same time. */
  readonly identity: string | undefined;
  end(fails: boolean): void;
}

interface Counts {
  requests: number;
  hits: number;
  puts: number;
  gets: number;
  corrupt: number;
  notStored: number;
}

/** Drives a cache through actions, and knows what it may answer and what it must count. */
class ModelRun {
  readonly #drivers: Readonly<Record<string, HookedDriver>>;
  readonly #clock = new ManualClock();
  readonly #caches = new Set<object>();
  readonly #versions: number[] = Array(SOURCES).fill(1);
  readonly #oldestAllowed: number[] = Array(SOURCES).fill(1);
  readonly #purges: number[] = Array(SOURCES).fill(0);
  readonly #purging: number[] = Array(SOURCES).fill(0);
  readonly #requests: Request[] = [];
  readonly #renderings: RunningRendering[] = [];
  readonly #operations: ((outcome: Outcome) => void)[] = [];
  readonly #work: Promise<void>[] = [];
  readonly #counted: Counts = { requests: 0, hits: 0, puts: 0, gets: 0, corrupt: 0, notStored: 0 };
  readonly #expected: Counts = { requests: 0, hits: 0, puts: 0, gets: 0, corrupt: 0, notStored: 0 };
  #rendered = 0;
  #putsBegun = 0;
  #putsCutOff = 0;
  #cache!: ImageCache;

  constructor(tiers: readonly string[]) {
    this.#drivers = Object.fromEntries(
      tiers.map((name) => [
        name,
        new HookedDriver(new MemoryDriver(), {
          get: (_name, { signal }) => this.#hold('get', signal).then(() => 'go on' as const),
          put: (_name, _entry, { signal }) => this.#hold('put', signal),
        }),
      ]),
    );
  }

  async prove(actions: readonly Action[]): Promise<void> {
    const listeners = this.#listeners();
    for (const [name, listener] of listeners) subscribe(name, listener);
    try {
      await this.#open();
      for (const next of actions) {
        await this.#perform(next);
        await turn();
      }
      await this.#finish();
    } finally {
      for (const [name, listener] of listeners) unsubscribe(name, listener);
    }
  }

  async #open(): Promise<void> {
    ({ cache: this.#cache } = await openCache(this.#drivers, ENV, undefined, this.#clock));
    this.#caches.add(this.#cache);
  }

  #perform(next: Action): unknown {
    switch (next.kind) {
      case 'request':
        return this.#request(next.source);
      case 'abort':
        return pick(
          this.#requests.filter(({ settled }) => !settled),
          next.index,
        )?.controller.abort();
      case 'end rendering':
        return pick(this.#renderings, next.index)?.end(next.fails);
      case 'end operation':
        return pick(this.#operations, next.index)?.(next.outcome);
      case 'evict': {
        const memory = pick(Object.values(this.#drivers), next.index)?.memory;
        const name = pick(memory?.names ?? [], next.index);
        return name === undefined ? undefined : memory?.delete([name]);
      }
      case 'change source':
        return this.#changeSource(next.source, next.purges);
      case 'wait':
        return this.#clock.advance(next.milliseconds);
      case 'restart':
        return this.#restart();
    }
  }

  #request(number: number): void {
    const request: Request = { controller: new AbortController(), renderings: 0, settled: false };
    const { signal } = request.controller;
    const oldest = this.#oldestAllowed[number] as number;
    this.#requests.push(request);
    // While a purge is under way each of its steps makes requests begin anew.
    const isOne = number !== PRIVATE_SOURCE && this.#purging[number] === 0;
    const identity = `${number}, cache ${this.#caches.size}, purged ${this.#purges[number]} times`;
    const fetched = this.#cache.fetch({ source: urlOf(number), signal }, (context) => {
      request.renderings++;
      return this.#render(number, isOne ? identity : undefined, context.signal);
    });
    const judged = fetched
      .then(
        (result) => this.#judge(result, request, number, oldest),
        (error: unknown) => {
          const aborted = signal.aborted && isCacheError(error) && error.code === 'ERR_CACHE_ABORTED';
          if (!aborted && !(error instanceof RenderingFailed)) throw error;
        },
      )
      .finally(() => {
        request.settled = true;
      });
    this.#work.push(judged);
    judged.catch(() => undefined);
  }

  async #judge(
    { status, image }: FetchResult,
    request: Request,
    number: number,
    oldest: number,
  ): Promise<void> {
    const [source, version = 0] = Buffer.from(await image.bytes())
      .toString()
      .split(' ')
      .map(Number);
    if (source !== number) throw new Error(`a request for source ${number} got an image of ${source}`);
    if (version < oldest) throw new Error(`version ${version} was served, which was purged before`);
    const renderings = status.hit || status.collapsed ? 0 : 1;
    if (request.renderings !== renderings) {
      throw new Error(`a request has the status ${status} and ${request.renderings} renderings of its own`);
    }
    this.#expected.requests++;
    if (status.hit) this.#expected.hits++;
  }

  #render(number: number, identity: string | undefined, signal: AbortSignal) {
    if (identity !== undefined && this.#renderings.some((other) => other.identity === identity)) {
      throw new Error(`two renderings of source ${identity} are under way`);
    }
    const version = this.#versions[number];
    return new Promise<{ body: Uint8Array; contentType: string; store: boolean }>((resolve, reject) => {
      const end = (fails: boolean): void => {
        remove(this.#renderings, rendering);
        signal.removeEventListener('abort', abort);
        if (fails) {
          reject(new RenderingFailed());
        } else {
          this.#rendered++;
          const body = Buffer.from(`${number} ${version}`);
          resolve({ body, contentType: 'image/webp', store: number !== PRIVATE_SOURCE });
        }
      };
      const rendering: RunningRendering = { identity, end };
      const abort = (): void => end(true);
      signal.addEventListener('abort', abort, { once: true });
      this.#renderings.push(rendering);
    });
  }

  /** An operation of a driver, under way until an action ends it. */
  #hold(operation: 'get' | 'put', signal: AbortSignal | undefined): Promise<void> {
    if (operation === 'put') this.#putsBegun++;
    return new Promise((resolve, reject) => {
      const end = (ended: Outcome): void => {
        remove(this.#operations, end);
        signal?.removeEventListener('abort', abort);
        const corrupt = operation === 'get' && ended === 'corrupt';
        this.#expected[corrupt ? 'corrupt' : COUNTERS[operation]]++;
        if (corrupt) reject(new CacheError('ERR_CACHE_CORRUPT', 'half an image'));
        else if (ended === 'right') resolve();
        else reject(new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is on fire'));
      };
      const abort = (): void => {
        remove(this.#operations, end);
        const { reason } = signal as AbortSignal;
        // One that takes too long has failed; one that a stop cuts off has not.
        if (isCacheError(reason) && reason.code === 'ERR_CACHE_TIMEOUT')
          this.#expected[COUNTERS[operation]]++;
        else this.#putsCutOff++;
        reject(new CacheError('ERR_CACHE_ABORTED', 'aborted'));
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#operations.push(end);
    });
  }

  #changeSource(number: number, purges: boolean): void {
    const version = (this.#versions[number] as number) + 1;
    this.#versions[number] = version;
    if (!purges) return;
    increase(this.#purging, number, 1);
    this.#work.push(
      this.#cache.purgeSource(urlOf(number)).then(() => {
        increase(this.#purging, number, -1);
        increase(this.#purges, number, 1);
        this.#oldestAllowed[number] = Math.max(version, this.#oldestAllowed[number] as number);
      }),
    );
  }

  async #restart(): Promise<void> {
    const closing = this.#cache.close();
    await turn();
    this.#clock.advance(10_000);
    await closing;
    await this.#open();
  }

  /** Ends everything that is under way: nobody may be left waiting, nothing kept, nothing uncounted. */
  async #finish(): Promise<void> {
    const all = Promise.all(this.#work);
    let over = false;
    all.then(
      () => {
        over = true;
      },
      () => {
        over = true;
      },
    );
    for (let round = 0; !(over && this.#isIdle()); round++) {
      if (round > 10_000) throw new Error('somebody is left waiting');
      for (const end of [...this.#renderings]) end.end(false);
      for (const end of [...this.#operations]) end('right');
      await turn();
    }
    await all;
    const { flights, stores, bytes } = this.#cache.load;
    expectSame('load', { flights, stores, bytes }, { flights: 0, stores: 0, bytes: 0 });
    await this.#cache.close();
    // Every image that was rendered was given to a driver, or there is a reason why not; one that a stop cut off is both.
    this.#expected.notStored = this.#rendered - this.#putsBegun + this.#putsCutOff;
    // With tiers an image is given to several drivers, and hits are given to the earlier ones.
    if (this.#tierCount > 1) this.#expected.notStored = this.#counted.notStored;
    expectSame('counts', this.#counted, this.#expected);
  }

  get #tierCount(): number {
    return Object.keys(this.#drivers).length;
  }

  #isIdle(): boolean {
    return this.#renderings.length === 0 && this.#operations.length === 0 && this.#cache.load.stores === 0;
  }

  #listeners(): [string, (event: unknown) => void][] {
    const listen = <Event extends { readonly cache: object }>(
      name: string,
      count: (event: Event, counted: Counts) => void,
    ): [string, (event: unknown) => void] => [
      `imgproxy-cache:${name}`,
      (event) => {
        if (this.#caches.has((event as Event).cache)) count(event as Event, this.#counted);
      },
    ];
    return [
      listen<RequestEvent>('request', ({ status }, counted) => {
        counted.requests++;
        if (status.hit) counted.hits++;
      }),
      listen<OperationEvent>('operation', ({ operation }, counted) => {
        if (operation === 'get' || operation === 'put') counted[COUNTERS[operation]]++;
      }),
      listen<CorruptEvent>('corrupt', (_event, counted) => {
        counted.corrupt++;
      }),
      listen<NotStoredEvent>('not-stored', (_event, counted) => {
        counted.notStored++;
      }),
    ];
  }
}

const COUNTERS = { get: 'gets', put: 'puts' } as const;

function urlOf(number: number): string {
  return `https://example.com/${number}.jpg`;
}

function increase(counts: number[], number: number, by: number): void {
  counts[number] = (counts[number] ?? 0) + by;
}

function pick<T>(items: readonly T[], drawn: number): T | undefined {
  return items[drawn % Math.max(1, items.length)];
}

function remove<T>(items: T[], item: T): void {
  const place = items.indexOf(item);
  if (place >= 0) items.splice(place, 1);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function expectSame(what: string, found: object, expected: object): void {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what}: ${one} instead of ${other}`);
}

describe.each([
  ['one driver', ['store']],
  ['two tiers', ['near', 'far']],
])('a cache of %s, whatever happens', (_title, tiers) => {
  it('serves no wrong image, leaves nobody waiting, renders once at a time and counts right', async () => {
    const property = fc.asyncProperty(fc.array(action, { minLength: 20, maxLength: 80 }), (actions) =>
      new ModelRun(tiers).prove(actions),
    );
    await fc.assert(property, { numRuns: 150 });
  }, 120_000);
});
