import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ImageCache } from '@imgproxy-cache/core';
import {
  type CacheDriver,
  createEntry,
  isCacheError,
  readVerified,
  streamVerified,
  verifyName,
} from '@imgproxy-cache/core/driver';
import { bodyOf, etagOf, type ImageVersion, problemOfImage, urlOf } from '../images.js';
import { SeededRandom } from '../random.js';
import { Findings, Tally } from '../soak.js';

/** Names of the driver, and sources of the cache. */
const SUBJECTS = 100;
const PREFIX = 'direct';
/** Share of the operations that go through the cache. */
const CACHED = 0.3;
const DELETED = 0.08;

const SIZES = [
  { weight: 2, least: 0, most: 0 },
  { weight: 50, least: 1, most: 5000 },
  { weight: 30, least: 5000, most: 60_000 },
  { weight: 15, least: 60_000, most: 400_000 },
  { weight: 3, least: 1_000_000, most: 4_000_000 },
] as const;
const OPERATIONS = [
  { weight: 60, operation: 'get' },
  { weight: 32, operation: 'put' },
  { weight: 5, operation: 'delete' },
  { weight: 3, operation: 'list' },
] as const;
const READINGS = [
  { weight: 47, reading: 'bytes' },
  { weight: 33, reading: 'stream' },
  { weight: 10, reading: 'left after the first chunk' },
  { weight: 10, reading: 'discarded' },
] as const;
/** When callers hang up, in milliseconds after the start at most. Most stay until the end. */
const HANG_UPS = [
  { weight: 84, after: undefined },
  { weight: 2, after: 0 },
  { weight: 4, after: 1 },
  { weight: 6, after: 15 },
  { weight: 4, after: 300 },
] as const;

/** A body that can be read once. */
interface Readable {
  bytes(): Promise<Uint8Array>;
  stream(): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

class HungOperation extends Error {
  override readonly name = 'HungOperation';
}

/** Waits for an operation, but at most so many milliseconds. */
export async function withPatience<Value>(operation: Promise<Value>, milliseconds: number): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new HungOperation('an operation does not end')), milliseconds);
  try {
    return await Promise.race([operation, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Random operations on a driver and on a cache, and what came of them. */
export class S3Traffic {
  readonly outcomes = new Tally();
  readonly wrongBytes = new Findings();
  readonly hung = new Findings();
  /** Failures that are neither CacheErrors nor hung operations. */
  readonly strangeFailures = new Findings();
  issued = 0;
  /** Bodies that passed all checks. */
  delivered = 0;
  /** Requests that the cache has answered. */
  answered = 0;
  readonly #driver: CacheDriver;
  readonly #cache: ImageCache;
  readonly #random: SeededRandom;
  readonly #patience: number;
  /** The signal of callers that stay, which lives as long as a service does. */
  readonly #lasting = new AbortController();
  #abortable: AbortSignal[] = [];
  #versions = 0;

  /** @param patience how long is waited for an operation, in milliseconds */
  constructor(driver: CacheDriver, cache: ImageCache, seed: number, patience: number) {
    this.#driver = driver;
    this.#cache = cache;
    this.#random = new SeededRandom(seed);
    this.#patience = patience;
  }

  /** Does one operation, and counts how it ends. */
  async perform(): Promise<void> {
    this.issued += 1;
    // A seed gives the same operations however each of them goes.
    const random = new SeededRandom(this.#random.uint32());
    const hangUp = new AbortController();
    const { after } = random.pick(HANG_UPS);
    const signal =
      after !== undefined ? hangUp.signal : random.next() < 0.5 ? this.#lasting.signal : undefined;
    const over = new AbortController();
    if (after === 0) hangUp.abort(new Error('the caller hung up'));
    else if (after !== undefined) {
      delay(random.next() * after, undefined, { signal: over.signal })
        .then(() => hangUp.abort(new Error('the caller hung up')))
        .catch(() => undefined);
    }
    if (after !== undefined) this.#abortable.push(hangUp.signal);
    const [operation, work] =
      random.next() < CACHED ? this.#onCache(random, signal) : this.#onDriver(random, signal);
    this.outcomes.add(operation, await this.#outcomeOf(operation, signal, work));
    over.abort();
  }

  /** Listeners that operations have left on signals since the last count; none are under way. */
  countListeners(): number {
    const signals = [this.#lasting.signal, ...this.#abortable];
    this.#abortable = [];
    return signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
  }

  /** Judges a body that has passed all checks. */
  deliver(etag: string | undefined, body: Uint8Array, story: string, source?: number): void {
    this.delivered += 1;
    const problem = problemOfImage(etag, body, source);
    if (problem !== undefined) this.wrongBytes.add(`${story} delivered ${problem}`);
  }

  #onDriver(
    random: SeededRandom,
    signal: AbortSignal | undefined,
  ): [operation: string, work: () => Promise<string>] {
    const { operation } = random.pick(OPERATIONS);
    const source = random.below(SUBJECTS);
    const name = nameOf(source);
    const works = {
      get: async () => {
        const { reading } = random.pick(READINGS);
        await using entry = await this.#driver.get(name, { signal });
        if (entry === undefined) return 'miss';
        verifyName(entry.metadata, name);
        const readable: Readable = {
          bytes: () => readVerified(entry, { signal }),
          stream: () => streamVerified(entry, { signal }),
          discard: () => entry.discard(),
        };
        const body = await read(readable, reading);
        if (body !== undefined) this.deliver(entry.metadata.etag, body, `a get of ${name}`, source);
        return `hit, ${reading}`;
      },
      put: async () => {
        const image = this.#create(source, random);
        const description = { name, contentType: 'image/webp', created: Date.now(), etag: etagOf(image) };
        await this.#driver.put(name, createEntry(description, bodyOf(image)), { signal });
        return 'stored';
      },
      delete: async () => {
        const others = Array.from({ length: random.below(4) }, () => nameOf(random.below(SUBJECTS)));
        await this.#driver.delete([...new Set([name, ...others])], { signal });
        return 'deleted';
      },
      list: async () => {
        const prefix = random.next() < 0.5 ? PREFIX : `${PREFIX}/${random.below(10)}`;
        for await (const _name of this.#driver.list(prefix, { signal }));
        return 'listed';
      },
    };
    return [operation, works[operation]];
  }

  #onCache(
    random: SeededRandom,
    signal: AbortSignal | undefined,
  ): [operation: string, work: () => Promise<string>] {
    const source = random.below(SUBJECTS);
    const request = { source: urlOf(source), signal };
    if (random.next() < DELETED) {
      const remove = async () => {
        await this.#cache.delete({ source: request.source });
        return 'deleted';
      };
      return ['cache delete', remove];
    }
    const streams = random.next() < 0.3;
    const { reading } = random.pick(READINGS);
    const fetch = async () => {
      const { status, image } = await this.#cache.fetch(request, () => {
        const rendered = this.#create(source, random);
        const body = bodyOf(rendered);
        return { body: streams ? inParts(body) : body, contentType: 'image/webp', etag: etagOf(rendered) };
      });
      this.answered += 1;
      const body = await read(image, reading);
      if (body !== undefined) this.deliver(image.etag, body, `a fetch, ${status},`, source);
      return `${status.hit ? 'hit' : 'rendered'}, ${reading}`;
    };
    return ['cache fetch', fetch];
  }

  #create(source: number, random: SeededRandom): ImageVersion {
    this.#versions += 1;
    const { least, most } = random.pick(SIZES);
    return { source, version: this.#versions, size: least + random.below(most - least + 1) };
  }

  async #outcomeOf(
    operation: string,
    signal: AbortSignal | undefined,
    work: () => Promise<string>,
  ): Promise<string> {
    try {
      return await withPatience(work(), this.#patience);
    } catch (error) {
      if (error instanceof HungOperation) {
        this.hung.add(`a ${operation} did not end`);
        return 'hung';
      }
      if (!isCacheError(error)) {
        this.strangeFailures.add(`a ${operation} failed with ${String(error).slice(0, 200)}`);
        return 'no CacheError';
      }
      if (error.code === 'ERR_CACHE_ABORTED' && signal?.aborted !== true) {
        this.strangeFailures.add(`a ${operation} was aborted, but not by its caller`);
      }
      return error.code;
    }
  }
}

/** @returns the body, where it is read whole */
async function read(
  readable: Readable,
  reading: (typeof READINGS)[number]['reading'],
): Promise<Uint8Array | undefined> {
  if (reading === 'bytes') return await readable.bytes();
  if (reading === 'discarded') {
    await readable.discard();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable.stream()) {
    if (reading === 'left after the first chunk') return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* inParts(body: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < body.length; start += 65_536) yield body.subarray(start, start + 65_536);
}

function nameOf(index: number): string {
  return `${PREFIX}/${index % 10}/image ${index}`;
}
