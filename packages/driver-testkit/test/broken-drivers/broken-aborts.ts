import { setTimeout as delay } from 'node:timers/promises';
import type { CacheEntry, CacheError, OperationOptions, StoredEntry } from '@imgproxy-cache/core/driver';
import { broken } from './broken-driver.js';
import { Handle, LARGE_BYTES, OtherEntries, OtherEntry, turns } from './other-entry.js';
import { SoundDriver } from './sound-driver.js';

/** A put that can be aborted in its midst, where it does something wrong. */
abstract class LongPut extends SoundDriver {
  override async put(name: string, entry: CacheEntry, options: OperationOptions = {}): Promise<void> {
    this.admit('put', options);
    if (entry.body.length > LARGE_BYTES) await turns(20);
    if (options.signal?.aborted) this.onAbort();
    await super.put(name, entry, options);
  }

  protected abstract onAbort(): void;
}

/** Drivers that do not let go when they are told to. */
export const brokenAborts = [
  broken(
    'aborted-before',
    'does not look at the signal of a put',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry): Promise<void> {
        return super.put(name, entry);
      }
    },
    { also: ['aborted-in-silence'] },
  ),
  broken(
    'aborted-during',
    'takes an abort in the midst of a put for an outage',
    class extends LongPut {
      protected override onAbort(): void {
        throw this.error('ERR_CACHE_UNAVAILABLE', 'lost its connection', 'put');
      }
    },
  ),
  broken(
    'aborted-reading',
    'does not look at the signal of a stream',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        return new (class extends OtherEntry {
          override stream(): AsyncIterable<Uint8Array> {
            return super.stream();
          }
        })(found);
      }
    },
  ),
  broken(
    'aborted-in-silence',
    'reads a body until its own time is up, whatever the signal says',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry): StoredEntry {
        const { store } = this;
        const late = (): CacheError => this.error('ERR_CACHE_TIMEOUT', 'was too slow', 'get');
        return new (class extends OtherEntry {
          override async bytes(options?: OperationOptions): Promise<Uint8Array> {
            if (store.silence === undefined) return super.bytes(options);
            const tooLate = await Promise.race([store.silence, delay(300, true)]);
            if (tooLate) throw late();
            return super.bytes(options);
          }
        })(found);
      }
    },
  ),
  broken(
    'aborted-in-silence',
    'takes an abort for an outage when it waits for the head of an answer',
    class extends SoundDriver {
      protected override async sitOut(
        ...[silence, operation, options]: Parameters<SoundDriver['sitOut']>
      ): Promise<void> {
        try {
          await super.sitOut(silence, operation, options);
        } catch {
          throw this.error('ERR_CACHE_UNAVAILABLE', 'got no answer', operation);
        }
      }
    },
  ),
  broken(
    'aborted-after',
    'reads the body under the signal of the get as well',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry, options: OperationOptions = {}): StoredEntry {
        return new (class extends OtherEntry {
          override bytes({ signal = options.signal }: OperationOptions = {}): Promise<Uint8Array> {
            return super.bytes({ signal });
          }
        })(found);
      }
    },
  ),
  broken(
    'no-listener-left',
    'listens to the signal of a put for ever',
    class extends SoundDriver {
      override put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        options?.signal?.addEventListener('abort', () => undefined);
        return super.put(name, entry, options);
      }
    },
  ),
  broken(
    'no-handle-left',
    'leaves the file of an aborted put open',
    class extends LongPut {
      protected override onAbort(): void {
        new Handle(this.store);
      }
    },
  ),
  broken(
    'no-handle-left',
    'closes a folder when it has been listed to its end, and only then',
    class extends SoundDriver {
      override async *list(prefix: string, options?: OperationOptions): AsyncGenerator<string> {
        this.admit('list', options);
        const handle = new Handle(this.store);
        yield* super.list(prefix, options);
        handle.close();
      }
    },
    { also: ['close-releases'] },
  ),
  broken(
    'no-promise-left',
    'rejects a promise that nobody has when a put is aborted',
    class extends LongPut {
      protected override onAbort(): void {
        void Promise.reject(this.error('ERR_CACHE_ABORTED', 'was aborted', 'put'));
      }
    },
  ),
];
