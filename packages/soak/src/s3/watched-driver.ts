import {
  type CacheDriver,
  type CacheDriverDefinition,
  type CacheEntry,
  type ConfigTable,
  type DriverCheck,
  isCacheError,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import type { WatchedClock } from '../watched-clock.js';
import type { DriverWatch } from './driver-watch.js';
import { ABSENT, now, versionOf } from './journal.js';
import { WatchedEntry } from './watched-entry.js';

/** Has every driver of a definition watched, and its timers counted. */
export function watched<Table extends ConfigTable>(
  definition: CacheDriverDefinition<Table>,
  watch: DriverWatch,
  clock: WatchedClock,
): CacheDriverDefinition<Table> {
  return {
    ...definition,
    create: (config, context) => {
      const { reservedName } = context;
      const report: typeof context.report = (event) => context.report(event);
      return new WatchedDriver(definition.create(config, { report, clock, reservedName }), watch);
    },
  };
}

/** A driver whose every call is timed, counted and held against the store's journal. */
class WatchedDriver implements CacheDriver {
  readonly #driver: CacheDriver;
  readonly #watch: DriverWatch;

  constructor(driver: CacheDriver, watch: DriverWatch) {
    this.#driver = driver;
    this.#watch = watch;
  }

  async get(name: string, options: OperationOptions = {}): Promise<StoredEntry | undefined> {
    const { entry, from } = await this.#call('get', options, async (started) => ({
      entry: await this.#driver.get(name, options),
      from: started,
    }));
    const version = entry === undefined ? ABSENT : versionOf(entry.metadata.etag);
    // An entry that is somebody else's is seen by its name, and core refuses it.
    if (entry === undefined || entry.metadata.name === name) {
      this.#watch.see({ kind: 'found', name, version, from, to: now() });
    }
    return entry && new WatchedEntry(entry, this.#watch, options.signal);
  }

  async put(name: string, entry: CacheEntry, options: OperationOptions = {}): Promise<void> {
    const from = await this.#call('put', options, async (started) => {
      await this.#driver.put(name, entry, options);
      return started;
    });
    const version = versionOf(entry.metadata.etag);
    this.#watch.see({ kind: 'written', name, version, from, to: now() });
  }

  async delete(names: readonly string[], options: OperationOptions = {}): Promise<void> {
    const from = now();
    this.#watch.namesDeleted += names.length;
    let failed: readonly string[] = [];
    try {
      await this.#call('delete', options, () => this.#driver.delete(names, options), names);
    } catch (error) {
      failed = isCacheError(error) ? (error.failedNames ?? names) : names;
      throw error;
    } finally {
      const to = now();
      for (const name of names) {
        if (!failed.includes(name)) this.#watch.see({ kind: 'written', name, version: ABSENT, from, to });
      }
    }
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncGenerator<string, void, undefined> {
    const names: string[] = [];
    const from = now();
    // Counted when it has ended: who leaves a list early has not made it fail.
    this.#watch.running += 1;
    try {
      for await (const name of this.#driver.list(prefix, options)) {
        names.push(name);
        yield name;
      }
      this.#watch.calls.add('list', 'done');
      this.#watch.see({ kind: 'listed', prefix, names, from, to: now() });
    } catch (error) {
      this.#fail('list', error, options.signal);
      throw error;
    } finally {
      this.#watch.running -= 1;
    }
  }

  check(options?: OperationOptions): Promise<DriverCheck> {
    return this.#driver.check?.(options) ?? Promise.resolve({ ok: true, findings: [] });
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  async #call<Value>(
    operation: 'get' | 'put' | 'delete',
    { signal }: OperationOptions,
    work: (started: number) => Promise<Value>,
    names?: readonly string[],
  ): Promise<Value> {
    this.#watch.running += 1;
    try {
      const value = await work(now());
      this.#watch.calls.add(operation, 'done');
      return value;
    } catch (error) {
      this.#fail(operation, error, signal, names);
      throw error;
    } finally {
      this.#watch.running -= 1;
    }
  }

  #fail(
    operation: 'get' | 'put' | 'delete' | 'list',
    error: unknown,
    signal: AbortSignal | undefined,
    names?: readonly string[],
  ): void {
    this.#watch.calls.add(operation, isCacheError(error) ? error.code : 'no CacheError');
    this.#watch.noteFailure(error, {
      operation,
      abandoned: signal?.aborted === true,
      ...(names !== undefined && { names }),
    });
  }
}
