import {
  BufferedEntry,
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type CacheErrorCode,
  type CacheErrorDetails,
  type CacheOperation,
  checkRoundTrip,
  type DriverCheck,
  type DriverContext,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';

/** What the drivers of one test share: entries in memory, and what a stranger did to them. */
export class Store {
  readonly memory = new MemoryDriver({ maxSize: 2 ** 28, maxEntries: 2000 });
  readonly foreign = new Set<string>();
  readonly tampered = new Map<string, Uint8Array>();
  readonly locks = new Set<string>();
  down = false;
  /** Ends when the store answers again; absent while it answers. */
  silence: Promise<void> | undefined;
  /** What a broken driver forgets to give back, for the test to give it back in the end. */
  readonly litter: (() => void)[] = [];
}

/** A right driver on a {@link Store}. The broken ones are this one with one mistake each. */
export class SoundDriver implements CacheDriver {
  protected readonly store: Store;
  protected readonly context: DriverContext;
  protected closed = false;

  constructor(store: Store, context: DriverContext) {
    this.store = store;
    this.context = context;
  }

  async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    this.admit('get', options);
    if (this.store.silence !== undefined) await this.sitOut(this.store.silence, 'get', options);
    if (this.store.foreign.has(name)) throw this.error('ERR_CACHE_CORRUPT', 'is not an entry', 'get');
    const entry = this.store.memory.peek(name);
    if (entry === undefined) return undefined;
    const tampered = this.store.tampered.get(name);
    return new BufferedEntry(entry.metadata, tampered ?? entry.body, tampered === undefined);
  }

  async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
    this.admit('put', options);
    if (this.store.silence !== undefined) await this.sitOut(this.store.silence, 'put', options);
    await this.store.memory.put(name, entry);
    this.store.foreign.delete(name);
    this.store.tampered.delete(name);
  }

  async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
    this.admit('delete', options, { failedNames: names });
    await this.store.memory.delete(names);
  }

  async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string, void, undefined> {
    this.admit('list', options);
    for await (const name of this.store.memory.list(prefix)) {
      yield name;
      this.admit('list', options);
    }
  }

  check(options?: OperationOptions): Promise<DriverCheck> {
    return checkRoundTrip(this, this.context, options);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** What every operation begins with: a driver that is open, a signal that is not aborted, a store that works. */
  protected admit(
    operation: CacheOperation,
    options: OperationOptions | undefined,
    details: CacheErrorDetails = {},
  ): void {
    if (this.closed) throw this.error('ERR_CACHE_CLOSED', 'came after close', operation, details);
    if (options?.signal?.aborted) {
      const cause = options.signal.reason;
      throw this.error('ERR_CACHE_ABORTED', 'was aborted by the caller', operation, { ...details, cause });
    }
    if (this.store.down) {
      throw this.error('ERR_CACHE_UNAVAILABLE', 'got no answer from the store', operation, details);
    }
  }

  /** Waits for a store that is silent, until the signal aborts. */
  protected async sitOut(
    silence: Promise<void>,
    operation: CacheOperation,
    options: OperationOptions = {},
  ): Promise<void> {
    const { promise: aborted, resolve: stop } = Promise.withResolvers<void>();
    const listener = (): void => stop();
    options.signal?.addEventListener('abort', listener);
    await Promise.race([silence, aborted]);
    options.signal?.removeEventListener('abort', listener);
    this.admit(operation, options);
  }

  protected error(
    code: CacheErrorCode,
    what: string,
    operation: CacheOperation,
    details: CacheErrorDetails = {},
  ): CacheError {
    return new CacheError(code, `the ${operation} ${what}`, { driver: 'broken', operation, ...details });
  }
}
