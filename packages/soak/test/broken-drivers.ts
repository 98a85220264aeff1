import diagnostics from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import {
  type CacheDriver,
  type CacheEntry,
  CacheError,
  type DriverCheck,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import s3 from '@imgproxy-cache/s3';
import type { S3Definition } from 'soak';

/** The S3 driver behind a layer that somebody got wrong. */
export interface BrokenDriver {
  readonly mistake: string;
  /** How many operations it takes to see it. */
  readonly operations: number;
  /** The judgements that must see it. */
  readonly seenBy: readonly string[];
  definition(): S3Definition;
}

/** Passes everything on; a mistake is what a subclass does otherwise. */
class Layer implements CacheDriver {
  readonly inner: CacheDriver;
  readonly endpoint: URL;
  calls = 0;

  constructor(inner: CacheDriver, endpoint: string) {
    this.inner = inner;
    this.endpoint = new URL(endpoint);
  }

  get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
    return this.inner.get(name, options);
  }

  put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
    return this.inner.put(name, entry, options);
  }

  delete(names: readonly string[], options?: OperationOptions): Promise<void> {
    return this.inner.delete(names, options);
  }

  list(prefix: string, options?: OperationOptions): AsyncIterable<string> {
    return this.inner.list(prefix, options);
  }

  check(options?: OperationOptions): Promise<DriverCheck> {
    return this.inner.check?.(options) ?? Promise.resolve({ ok: true, findings: [] });
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  /** True with every `period`th call. */
  every(period: number): boolean {
    this.calls += 1;
    return this.calls % period === 0;
  }
}

function broken(
  mistake: string,
  layer: typeof Layer,
  seenBy: readonly string[],
  operations = 300,
): BrokenDriver {
  return {
    mistake,
    operations,
    seenBy,
    definition: () => ({
      ...s3,
      create: (config, context) => new layer(s3.create(config, context), config.endpoint),
    }),
  };
}

const unavailable = (): CacheError =>
  new CacheError('ERR_CACHE_UNAVAILABLE', 'the store is given up', { driver: 's3', operation: 'get' });

// Module-wide, as such mistakes are.
const sockets: Socket[] = [];
const memory: unknown[] = [];

export const BROKEN_DRIVERS: readonly BrokenDriver[] = [
  broken(
    'vouches for bytes that are wrong',
    class extends Layer {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const entry = await this.inner.get(name, options);
        if (entry === undefined || !this.every(10)) return entry;
        return {
          metadata: entry.metadata,
          verified: true,
          bytes: async (reading) => Buffer.concat([await entry.bytes(reading), Buffer.of(0)]),
          stream: (reading) => entry.stream(reading),
          discard: () => entry.discard(),
          [Symbol.asyncDispose]: () => entry.discard(),
        };
      }
    },
    ['no wrong byte is delivered as good'],
  ),
  broken(
    'takes hits for misses, and failures for successes',
    class extends Layer {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const entry = await this.inner.get(name, options);
        if (!this.every(3)) return entry;
        await entry?.discard();
        return undefined;
      }

      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        return this.inner.put(name, entry, options).catch(() => undefined);
      }
    },
    ['what a driver says of the store is true', 'what the driver of a cache says of the store is true'],
    // The cache needs some hits.
    800,
  ),
  broken(
    'fails in a way of its own',
    class extends Layer {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        if (this.every(10)) {
          void Promise.reject(new Error('nobody hears of this'));
          throw new Error('it went wrong');
        }
        return await this.inner.get(name, options);
      }
    },
    [
      'a failure has its shape',
      'a failure below a cache has its shape',
      'a caller sees CacheErrors alone',
      'no rejection is unhandled, and Node.js warns of nothing',
    ],
  ),
  broken(
    'waits for ever now and then',
    class extends Layer {
      override get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        return this.every(60) ? new Promise(() => undefined) : this.inner.get(name, options);
      }
    },
    ['nothing hangs', 'operations add up', 'the pool goes back to idle'],
  ),
  broken(
    'leaves listeners, sockets and timers behind',
    class extends Layer {
      override get(name: string, options: OperationOptions = {}): Promise<StoredEntry | undefined> {
        options.signal?.addEventListener('abort', () => undefined);
        if (this.every(100)) {
          sockets.push(connect(Number(this.endpoint.port), this.endpoint.hostname));
          setInterval(() => undefined, 1000).unref();
        }
        return this.inner.get(name, options);
      }
    },
    ['no listener is left on a signal', 'the pool goes back to idle', 'close() leaves nothing behind'],
  ),
  broken(
    'remembers everything',
    class extends Layer {
      override get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const promises = Array.from({ length: 4 }, () => Promise.withResolvers().promise);
        memory.push(new AbortController().signal, ...promises, Buffer.alloc(100_000));
        return this.inner.get(name, options);
      }
    },
    ['memory is flat', 'promises are flat', 'signals are flat'],
    // Thirds want three rounds.
    750,
  ),
  broken(
    'asks too often, and tells what was not',
    class extends Layer {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        if (this.every(20)) {
          diagnostics.channel('imgproxy-cache:operation').publish({ operation: 'put', code: undefined });
        }
        for (let round = 0; round < 12; round += 1) {
          const entry = await this.inner.get(name, options);
          await entry?.discard();
        }
        return await this.inner.get(name, options);
      }
    },
    ["the cache's events add up", 'requests add up'],
  ),
  broken(
    'gives a store up for ever',
    class extends Layer {
      #failed = false;

      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        if (this.#failed) throw unavailable();
        try {
          return await this.inner.get(name, options);
        } catch (error) {
          this.#failed = true;
          throw error;
        }
      }
    },
    ['all is well once the store is', 'everything came up'],
  ),
];
