import {
  BufferedEntry,
  type CacheEntry,
  type CacheError,
  type CacheErrorCode,
  type CacheErrorDetails,
  type CacheOperation,
  type OperationOptions,
  readVerified,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { broken, SECRET_KEY } from './broken-driver.js';
import { SoundDriver } from './sound-driver.js';

/** A right driver but for the errors it makes. */
abstract class OtherErrors extends SoundDriver {
  protected override error(
    code: CacheErrorCode,
    what: string,
    operation: CacheOperation,
    details: CacheErrorDetails = {},
  ): CacheError {
    const changed = this.change({ code, what, details });
    return super.error(code, changed.what, operation, changed.details);
  }

  protected abstract change(error: Described): Omit<Described, 'code'>;
}

interface Described {
  readonly code: CacheErrorCode;
  readonly what: string;
  readonly details: CacheErrorDetails;
}

/** A right driver but for the codes of its errors. */
abstract class OtherCodes extends SoundDriver {
  protected override error(...[code, ...rest]: Parameters<SoundDriver['error']>): CacheError {
    return super.error(this.codeFor(code), ...rest);
  }

  protected abstract codeFor(code: CacheErrorCode): CacheErrorCode;
}

/** Drivers that fail in the wrong way, or do not when they should. */
export const brokenErrors = [
  broken(
    'cache-errors',
    'throws the reason of an aborted list as it is',
    class extends SoundDriver {
      override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
        options?.signal?.throwIfAborted();
        yield* super.list(prefix, options);
      }
    },
    { also: ['aborted-before', 'aborted-during', 'no-secret-shown'] },
  ),
  broken(
    'cache-errors',
    'says nothing when it is closed',
    class extends SoundDriver {
      protected override error(
        ...[code, what, operation, details]: Parameters<SoundDriver['error']>
      ): CacheError {
        const error = super.error(code, what, operation, details);
        return code === 'ERR_CACHE_CLOSED' ? Object.assign(error, { message: 'closed' }) : error;
      }
    },
  ),
  broken(
    'rejected-not-thrown',
    'throws at a delete after close',
    class extends SoundDriver {
      override delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        if (this.closed) this.admit('delete', options);
        return super.delete(names, options);
      }
    },
  ),
  broken(
    'retryable',
    'calls it retryable that it is closed',
    class extends OtherErrors {
      protected override change({ code, what, details }: Described): Omit<Described, 'code'> {
        return { what, details: code === 'ERR_CACHE_CLOSED' ? { ...details, retryable: true } : details };
      }
    },
  ),
  broken(
    'outage',
    'takes an outage for a miss',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        return this.store.down ? undefined : super.get(name, options);
      }
    },
  ),
  broken(
    'outage-code',
    'takes a connection that is refused for a right that is',
    class extends OtherCodes {
      protected override codeFor(code: CacheErrorCode): CacheErrorCode {
        return code === 'ERR_CACHE_UNAVAILABLE' ? 'ERR_CACHE_ACCESS_DENIED' : code;
      }
    },
  ),
  broken(
    'outage-code',
    'takes a server that is down for a bucket that is gone',
    class extends OtherCodes {
      protected override codeFor(code: CacheErrorCode): CacheErrorCode {
        return code === 'ERR_CACHE_UNAVAILABLE' ? 'ERR_CACHE_NO_BUCKET' : code;
      }
    },
  ),
  broken(
    'outage-code',
    'does not believe that an outage ends',
    class extends OtherErrors {
      protected override change({ code, what, details }: Described): Omit<Described, 'code'> {
        const down = code === 'ERR_CACHE_UNAVAILABLE';
        return { what, details: down ? { ...details, retryable: false } : details };
      }
    },
  ),
  broken(
    'damage-is-no-hit',
    'vouches for a body that it has not looked at',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        return found && !found.verified
          ? new BufferedEntry(found.metadata, await found.bytes(), true)
          : found;
      }
    },
    { also: ['damage-is-no-miss'] },
  ),
  broken(
    'damage-is-no-miss',
    'takes a damaged entry for a miss',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        if (found === undefined || found.verified) return found;
        const body = await readVerified(found).catch(() => undefined);
        return body && new BufferedEntry(found.metadata, body, true);
      }
    },
  ),
  broken(
    'no-secret-shown',
    'says why the caller has aborted',
    class extends OtherErrors {
      protected override change({ what, details }: Described): Omit<Described, 'code'> {
        return { what: `${what} (${String(details.cause)})`, details };
      }
    },
  ),
  broken(
    'no-secret-shown',
    'shows its key when it is closed',
    class extends OtherErrors {
      protected override change({ what, details }: Described): Omit<Described, 'code'> {
        return { what: `${what} (with ${SECRET_KEY})`, details };
      }
    },
  ),
  broken(
    'failed-names',
    'does not say what an aborted delete has left',
    class extends SoundDriver {
      override async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        this.admit('delete', options);
        await super.delete(names, options);
      }
    },
  ),
];

/** Drivers that are right as long as not much happens at the same time. */
export const brokenConcurrency = [
  broken(
    'model',
    'deletes everything when it is to delete nothing',
    class extends SoundDriver {
      override async delete(names: readonly string[], options?: OperationOptions): Promise<void> {
        await super.delete(names.length === 0 ? this.store.memory.names : names, options);
      }
    },
  ),
  broken(
    'parallel-names',
    'mixes entries up when more than a hundred are put at the same time',
    class extends SoundDriver {
      #running = 0;
      #last: CacheEntry | undefined;

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        this.#running += 1;
        const last = this.#last;
        this.#last = entry;
        try {
          await super.put(name, this.#running > 100 && last ? last : entry, options);
        } finally {
          this.#running -= 1;
        }
      }
    },
  ),
  broken(
    'many-readers',
    'hands out one entry to all who get it at the same time',
    class extends SoundDriver {
      readonly #running = new Map<string, Promise<StoredEntry | undefined>>();

      override get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        if (!name.endsWith('/popular')) return super.get(name, options);
        const running = this.#running.get(name) ?? super.get(name, options);
        this.#running.set(name, running);
        return running;
      }
    },
  ),
];
