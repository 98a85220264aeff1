import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  assertEntryName,
  BufferedEntry,
  type CacheDriver,
  type CacheEntry,
  CacheError,
  decodeMetadata,
  encodeMetadata,
  OperationGuard,
  type OperationOptions,
  type StoredEntry,
  verifyBody,
} from '@imgproxy-cache/core/driver';
import { LRUCache } from 'lru-cache';

/** Limits of a {@link MemoryDriver}. */
export interface MemoryDriverOptions {
  /** Most bytes of all entries, each with an allowance for its metadata. Default: 64 MiB. */
  readonly maxSize?: number;
  /** Most entries. Default: 10,000. */
  readonly maxEntries?: number;
}

// Of so many names a list looks through a million without a pause that requests would notice.
const LIST_SLICE = 5000;
// What an entry takes besides its body: name, metadata, bookkeeping.
const ENTRY_OVERHEAD = 1024;

/**
 * Keeps entries in the process's memory, the least recently used out first. Bodies are verified when they are
 * put, and got without a copy. In a host's tests it stands for any driver: {@link names} and {@link peek} show
 * what is stored, without counting as a use.
 */
export class MemoryDriver implements CacheDriver {
  readonly #entries: LRUCache<string, CacheEntry>;
  /** In the order in which they were first stored, which a use does not change: a list may pause. */
  readonly #names = new Set<string>();
  readonly #guard = new OperationGuard('memory');

  constructor({ maxSize = 67_108_864, maxEntries = 10_000 }: MemoryDriverOptions = {}) {
    this.#entries = new LRUCache({
      max: maxEntries,
      maxSize,
      sizeCalculation: sizeOf,
      dispose: (_entry, name, reason) => {
        if (reason !== 'set') this.#names.delete(name);
      },
    });
  }

  /** Names of all entries, the most recently used first. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  /** Bytes that the entries take, their allowances included. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** An entry as it is stored, without using it. */
  peek(name: string): CacheEntry | undefined {
    return this.#entries.peek(name);
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear();
  }

  /** Counts as a use, as {@link get} does. */
  held(name: string): CacheEntry | undefined {
    return this.#entries.get(name);
  }

  async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    this.#guard.admit('get', options?.signal);
    const entry = this.#entries.get(name);
    return entry && new BufferedEntry(entry.metadata, entry.body, true);
  }

  async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
    this.#guard.admit('put', options?.signal);
    assertEntryName(name);
    // Like any other store: what the codec does not know or leaves out is not kept, nor is the caller's own object.
    const metadata = decodeMetadata(encodeMetadata(entry.metadata));
    verifyBody(entry.metadata, entry.body);
    if (sizeOf(entry) > this.#entries.maxSize) {
      throw new CacheError(
        'ERR_CACHE_TOO_LARGE',
        `entry ${name} has ${entry.body.length} bytes and the whole memory cache ${this.#entries.maxSize} (IMGPROXY_CACHE_MEMORY_MAX_SIZE)`,
        { driver: 'memory', operation: 'put' },
      );
    }
    // A copy: the caller may change the bytes, or they may be a small part of a large buffer.
    this.#names.add(name);
    this.#entries.set(name, { metadata: Object.freeze(metadata), body: Uint8Array.from(entry.body) });
  }

  async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
    this.#guard.admit('delete', options?.signal, names);
    for (const name of names) this.#entries.delete(name);
  }

  async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string, void, undefined> {
    this.#guard.admit('list', options?.signal);
    let visited = 0;
    for (const name of this.#names) {
      if (++visited % LIST_SLICE === 0) {
        await nextTurn();
        this.#guard.admit('list', options?.signal);
      }
      if (!name.startsWith(prefix)) continue;
      yield name;
      this.#guard.admit('list', options?.signal);
    }
  }

  async close(): Promise<void> {
    await this.#guard.close();
    this.#entries.clear();
  }
}

function sizeOf(entry: CacheEntry): number {
  return entry.body.length + ENTRY_OVERHEAD;
}
