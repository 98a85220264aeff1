import {
  BufferedEntry,
  type CacheEntry,
  encodeMetadata,
  type OperationOptions,
  type StoredEntry,
} from '@imgproxy-cache/core/driver';
import { brokenByKilling } from '../processes/file-written-in-place.js';
import { broken } from './broken-driver.js';
import { LARGE_BYTES, OtherEntries, OtherEntry, turns } from './other-entry.js';
import { SoundDriver } from './sound-driver.js';

/** Drivers whose puts are seen before they are over, or never come to an end. */
export const brokenAtomicity = [
  broken(
    'torn-reads',
    'writes the metadata first, and the body after it',
    class extends SoundDriver {
      readonly #begun = new Map<string, CacheEntry>();

      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        if (entry.body.length > LARGE_BYTES) this.#begun.set(name, entry);
        await turns(1);
        this.#begun.delete(name);
        await super.put(name, entry, options);
      }

      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        const found = await super.get(name, options);
        const begun = this.#begun.get(name);
        return found && begun ? new BufferedEntry(begun.metadata, await found.bytes(), false) : found;
      }
    },
    { also: ['two-writers'] },
  ),
  broken(
    'reader-keeps-version',
    'looks for the body when it is read, and not when it is got',
    class extends OtherEntries {
      protected override entryFor(found: StoredEntry, _options: unknown, name: string): StoredEntry {
        const { memory } = this.store;
        return new (class extends OtherEntry {
          override async bytes(options?: OperationOptions): Promise<Uint8Array> {
            const old = await super.bytes(options);
            return this.verified ? (memory.peek(name)?.body ?? old) : old;
          }
        })(found);
      }
    },
    { also: ['torn-reads', 'model', 'close-under-load'] },
  ),
  broken(
    'two-writers',
    'fails where another put of the same name is under way',
    class extends SoundDriver {
      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        if (entry.body.length < LARGE_BYTES) return super.put(name, entry, options);
        if (this.store.locks.has(name)) throw this.error('ERR_CACHE_UNAVAILABLE', 'found a lock', 'put');
        this.store.locks.add(name);
        await turns(1);
        this.store.locks.delete(name);
        await super.put(name, entry, options);
      }
    },
  ),
  broken(
    'refused-put-keeps-old',
    'makes room before it looks at what it is to store',
    class extends SoundDriver {
      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        this.admit('put', options);
        try {
          encodeMetadata(entry.metadata);
        } catch {
          await this.store.memory.delete([name]);
        }
        await super.put(name, entry, options);
      }
    },
  ),
  broken(
    'aborted-put',
    'leaves the half of a body that was there when it was aborted',
    class extends SoundDriver {
      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        this.admit('put', options);
        await turns(2);
        if (options?.signal?.aborted && entry.body.length > LARGE_BYTES) {
          await super.put(name, entry);
          this.store.tampered.set(name, entry.body.subarray(0, entry.body.length >> 1));
        }
        await super.put(name, entry, options);
      }
    },
  ),
  brokenByKilling,
];
