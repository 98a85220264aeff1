import type { CacheEntry, DriverCheck, OperationOptions, StoredEntry } from '@imgproxy-cache/core/driver';
import { broken } from './broken-driver.js';
import { LARGE_BYTES, turns } from './other-entry.js';
import { SoundDriver } from './sound-driver.js';

/** Drivers that begin or end in the wrong way. */
export const brokenLifecycles = [
  broken(
    'check-passes',
    'never comes to the end of a check',
    class extends SoundDriver {
      override check(): Promise<DriverCheck> {
        return new Promise(() => undefined);
      }
    },
    {
      also: [
        ...['check-leaves-nothing', 'check-finds-outage', 'checks-at-once', 'close-twice', 'close-releases'],
        'rejected-not-thrown',
      ],
      ruleTimeout: 1,
    },
  ),
  broken(
    'check-leaves-nothing',
    'does not remove what its check has written',
    class extends SoundDriver {
      override async check(options?: OperationOptions): Promise<DriverCheck> {
        const check = await super.check(options);
        if (check.ok)
          await this.store.memory.put(this.context.reservedName, trace(this.context.reservedName));
        return check;
      }
    },
  ),
  broken(
    'check-finds-outage',
    'checks nothing and finds everything well',
    class extends SoundDriver {
      override async check(): Promise<DriverCheck> {
        return { ok: true, findings: [] };
      }
    },
  ),
  broken(
    'checks-at-once',
    'cannot check while another checks',
    class extends SoundDriver {
      override async check(options?: OperationOptions): Promise<DriverCheck> {
        const lock = this.context.reservedName;
        if (this.store.locks.has(lock)) {
          const error = this.error('ERR_CACHE_UNAVAILABLE', 'found a lock', 'check');
          const finding = { level: 'error', subject: 'write', message: error.message, error } as const;
          return { ok: false, findings: [finding] };
        }
        this.store.locks.add(lock);
        try {
          return await super.check(options);
        } finally {
          this.store.locks.delete(lock);
        }
      }
    },
  ),
  broken(
    'close-twice',
    'refuses to be closed twice',
    class extends SoundDriver {
      override async close(): Promise<void> {
        if (this.closed) throw this.error('ERR_CACHE_CLOSED', 'came after close', 'close');
        await super.close();
      }
    },
  ),
  broken(
    'use-after-close',
    'finds nothing any more after close',
    class extends SoundDriver {
      override async get(name: string, options?: OperationOptions): Promise<StoredEntry | undefined> {
        return this.closed ? undefined : super.get(name, options);
      }
    },
  ),
  broken(
    'close-under-load',
    'pulls the connection from under a put that is under way',
    class extends SoundDriver {
      override async put(name: string, entry: CacheEntry, options?: OperationOptions): Promise<void> {
        this.admit('put', options);
        if (entry.body.length > LARGE_BYTES) await turns(1);
        if (this.closed) throw new TypeError('write after end');
        await super.put(name, entry, options);
      }
    },
  ),
  broken(
    'close-releases',
    'keeps the timer of its check after close',
    class extends SoundDriver {
      override check(options?: OperationOptions): Promise<DriverCheck> {
        const timer = setInterval(() => undefined, 60_000);
        this.store.litter.push(() => clearInterval(timer));
        return super.check(options);
      }
    },
  ),
];

function trace(name: string): CacheEntry {
  return {
    metadata: { name, contentType: 'image/gif', size: 0, crc32: 0, created: 0 },
    body: new Uint8Array(),
  };
}
