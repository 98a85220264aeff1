import {
  type CacheDriver,
  type CacheDriverDefinition,
  type CacheEntry,
  type CacheErrorCode,
  type CacheOperation,
  type Clock,
  type ConfigTable,
  isCacheError,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { Findings, Tally } from '../soak.js';
import { SECRET_KEY } from '../stores.js';
import { ABSENT, now, type StoreModel, type Version } from './store-model.js';

type Operation = CacheOperation & ('get' | 'put' | 'delete' | 'list');

/** How an operation may fail at a store that exists, lets everybody in and misbehaves. */
const EXPECTED: ReadonlySet<CacheErrorCode> = new Set([
  'ERR_CACHE_UNAVAILABLE',
  'ERR_CACHE_TIMEOUT',
  'ERR_CACHE_ABORTED',
]);
/** Core's codec and entries, which drivers are made of, throw these without a driver's name. Core adds it. */
const NAMELESS: ReadonlySet<CacheErrorCode> = new Set(['ERR_CACHE_CORRUPT', 'ERR_CACHE_ABORTED']);

/** A failed operation. */
interface FailedCall {
  readonly operation: Operation;
  /** Whether its caller had aborted it, or discarded the body, by then. */
  readonly isAbandoned: boolean;
  /** All names of a delete. */
  readonly names?: readonly string[] | undefined;
}

/** Watches drivers: what they do, what they say of the store, and how they fail. */
export class DriverWatch {
  readonly calls = new Tally();
  /** Answers that contradict the store's journal. */
  readonly contradictions = new Findings();
  /** Failures of the wrong form. */
  readonly misshapen = new Findings();
  failures = 0;
  /** Answers that were compared with the journal. */
  judged = 0;
  /** Operations and readings of bodies under way. */
  running = 0;
  /** Names in all deletes. */
  namesDeleted = 0;
  #answers: ((model: StoreModel) => readonly string[])[] = [];

  /** Wraps all drivers of a definition, and has them use a clock. */
  wrap<Table extends ConfigTable>(
    definition: CacheDriverDefinition<Table>,
    clock: Clock,
  ): CacheDriverDefinition<Table> {
    const create: (typeof definition)['create'] = (config, { report, reservedName }) =>
      this.#driverOf(definition.create(config, { report, reservedName, clock }));
    return { ...definition, create };
  }

  /** Compares everything that drivers have answered with the store's journal. */
  judge(model: StoreModel): void {
    this.judged += this.#answers.length;
    for (const contradictionsTo of this.#answers) this.contradictions.add(...contradictionsTo(model));
    this.#answers = [];
  }

  #driverOf(driver: CacheDriver): CacheDriver {
    return {
      get: async (name, options = {}) => {
        const from = now();
        const entry = await this.#call('get', options, () => driver.get(name, options));
        this.#sawEntry(name, entry, from);
        return entry && this.#entryOf(entry, options.signal);
      },
      put: async (name, entry: CacheEntry, options = {}) => {
        const from = now();
        await this.#call('put', options, () => driver.put(name, entry, options));
        this.#sawWrite(name, entry.metadata.etag ?? ABSENT, from);
      },
      delete: async (names, options = {}) => {
        const from = now();
        this.namesDeleted += names.length;
        let failed: readonly string[] = [];
        try {
          await this.#call('delete', options, () => driver.delete(names, options), names);
        } catch (error) {
          failed = isCacheError(error) ? (error.failedNames ?? names) : names;
          throw error;
        } finally {
          for (const name of names) if (!failed.includes(name)) this.#sawWrite(name, ABSENT, from);
        }
      },
      list: (prefix, options) => this.#list(driver, prefix, options),
      check: async (options) => (await driver.check?.(options)) ?? { ok: true, findings: [] },
      close: () => driver.close(),
    };
  }

  async *#list(driver: CacheDriver, prefix: string, options: OperationOptions = {}): AsyncGenerator<string> {
    const names = new Set<string>();
    const from = now();
    this.running += 1;
    try {
      for await (const name of driver.list(prefix, options)) {
        names.add(name);
        yield name;
      }
      // A list that is left early is no call that has ended.
      this.calls.add('list', 'done');
      this.#sawList(prefix, names, from);
    } catch (error) {
      this.#failed(error, { operation: 'list', isAbandoned: options.signal?.aborted === true });
      throw error;
    } finally {
      this.running -= 1;
    }
  }

  #entryOf(entry: StoredEntry, lookup: AbortSignal | undefined): StoredEntry {
    let isDiscarded = false;
    let isStreaming = false;
    const fail = (error: unknown, signal: AbortSignal | undefined): void => {
      const isAbandoned = isDiscarded || signal?.aborted === true || lookup?.aborted === true;
      this.#noteFailure(error, { operation: 'get', isAbandoned });
    };
    const endStream = (): void => {
      if (isStreaming) this.running -= 1;
      isStreaming = false;
    };
    const discard = async (): Promise<void> => {
      isDiscarded = true;
      await entry.discard();
      // A stream that is left between two chunks does not reach its own end.
      endStream();
    };
    const watch = this;
    return {
      metadata: entry.metadata,
      verified: entry.verified ?? false,
      async bytes(options = {}) {
        watch.running += 1;
        try {
          return await entry.bytes(options);
        } catch (error) {
          fail(error, options.signal);
          throw error;
        } finally {
          watch.running -= 1;
        }
      },
      async *stream(options = {}) {
        watch.running += 1;
        isStreaming = true;
        try {
          yield* entry.stream(options);
        } catch (error) {
          if (isCacheError(error) && !NAMELESS.has(error.code)) watch.calls.add('stream', error.code);
          fail(error, options.signal);
          throw error;
        } finally {
          endStream();
        }
      },
      discard,
      [Symbol.asyncDispose]: discard,
    };
  }

  async #call<Value>(
    operation: Operation,
    { signal }: OperationOptions,
    work: () => Promise<Value>,
    names?: readonly string[],
  ): Promise<Value> {
    this.running += 1;
    try {
      const value = await work();
      this.calls.add(operation, 'done');
      return value;
    } catch (error) {
      this.#failed(error, { operation, isAbandoned: signal?.aborted === true, names });
      throw error;
    } finally {
      this.running -= 1;
    }
  }

  #failed(error: unknown, call: FailedCall): void {
    this.calls.add(call.operation, isCacheError(error) ? error.code : 'no CacheError');
    this.#noteFailure(error, call);
  }

  #noteFailure(error: unknown, call: FailedCall): void {
    this.failures += 1;
    const problem = problemOfFailure(error, call);
    if (problem !== undefined)
      this.misshapen.add(`${call.operation} rejected with ${describe(error)}${problem}`);
  }

  #sawEntry(name: string, entry: StoredEntry | undefined, from: number): void {
    // Core refuses an entry with another name.
    if (entry !== undefined && entry.metadata.name !== name) return;
    const to = now();
    const version = entry === undefined ? ABSENT : (entry.metadata.etag ?? 'without an ETag');
    this.#answers.push((model) => {
      const visible = model.visible(name, from, to);
      if (visible.has(version)) return [];
      const stored = [...visible].map(titleOf).join(' or ');
      return [`a get of ${name} found ${titleOf(version)} where ${stored} was stored`];
    });
  }

  #sawWrite(name: string, version: Version, from: number): void {
    const to = now();
    this.#answers.push((model) =>
      model.wasWritten(name, version, from, to)
        ? []
        : [`a write of ${name} succeeded, and ${titleOf(version)} was never stored`],
    );
  }

  #sawList(prefix: string, listed: ReadonlySet<string>, from: number): void {
    const to = now();
    this.#answers.push((model) => {
      const isAbsent = (name: string): boolean => {
        const visible = model.visible(name, from, to);
        return visible.size === 1 && visible.has(ABSENT);
      };
      const surplus = [...listed].filter(isAbsent);
      const missing = model.storedThroughout(prefix, from, to).filter((name) => !listed.has(name));
      return [
        ...surplus.map((name) => `a list of ${prefix} has ${name}, which was not stored`),
        ...missing.map((name) => `a list of ${prefix} lacks ${name}, which was stored all the time`),
      ];
    });
  }
}

function problemOfFailure(error: unknown, { operation, isAbandoned, names }: FailedCall): string | undefined {
  if (!isCacheError(error)) return ', which is no CacheError';
  const { code, driver, message, retryable, failedNames } = error;
  const isExpected = EXPECTED.has(code) || (operation === 'get' && code === 'ERR_CACHE_CORRUPT');
  if (!isExpected) return ', which this store cannot cause';
  if (code === 'ERR_CACHE_ABORTED' && !isAbandoned) return ', and nobody aborted it';
  if (driver !== 's3' && !(driver === undefined && NAMELESS.has(code)))
    return `, and names the driver ${driver}`;
  if (error.operation !== operation) return `, and names the operation ${error.operation}`;
  if (retryable === NAMELESS.has(code)) return `, and its retryable is ${retryable}`;
  if (message === '' || message.includes(SECRET_KEY) || /signature=|authorization:/i.test(message)) {
    return ': its message tells nothing, or too much';
  }
  if (names === undefined || failedNames?.every((name) => names.includes(name))) return undefined;
  return `, and its failedNames are ${failedNames}`;
}

function describe(error: unknown): string {
  const title = isCacheError(error) ? error.code : error instanceof Error ? error.name : '';
  return `${title} (${String(error).slice(0, 200)})`;
}

function titleOf(version: Version): string {
  return version === ABSENT ? 'nothing' : `version ${version}`;
}
