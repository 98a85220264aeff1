import {
  BufferedEntry,
  type CacheDriver,
  CacheError,
  checkRoundTrip,
  createEntry,
  type DriverCheck,
  isCacheError,
  systemClock,
} from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';

const RESERVED = 'v1/check';

function denied(operation: string): CacheError {
  return new CacheError('ERR_CACHE_ACCESS_DENIED', `${operation} is forbidden: grant it`);
}

/** A memory driver of which some operations are others. */
function driverWith(changes: (memory: MemoryDriver) => Partial<CacheDriver>): MemoryDriver {
  const memory = new MemoryDriver();
  return Object.assign(memory, changes(memory));
}

function check(driver: CacheDriver, signal?: AbortSignal): Promise<DriverCheck> {
  return checkRoundTrip(driver, { reservedName: RESERVED, clock: systemClock }, { signal });
}

function summary({ ok, findings }: DriverCheck): unknown {
  return { ok, findings: findings.map(({ level, message, error }) => `${level} ${error?.code}: ${message}`) };
}

describe('a check by a round trip', () => {
  it('finds nothing wrong with a driver that works, and leaves nothing behind', async () => {
    const driver = new MemoryDriver();
    await driver.put(
      'v1/other',
      createEntry({ name: 'v1/other', contentType: 'image/png', created: 0 }, Uint8Array.of(1)),
    );
    expect(summary(await check(driver))).toEqual({ ok: true, findings: [] });
    expect(driver.names).toEqual(['v1/other']);
  });

  it.each<[string, (memory: MemoryDriver) => Partial<CacheDriver>, boolean, string[]]>([
    [
      'the right to write',
      () => ({ put: () => Promise.reject(denied('put')) }),
      false,
      ['error ERR_CACHE_ACCESS_DENIED: cannot write: put is forbidden: grant it'],
    ],
    [
      'the right to read',
      () => ({ get: () => Promise.reject(denied('get')) }),
      false,
      ['error ERR_CACHE_ACCESS_DENIED: cannot read: get is forbidden: grant it'],
    ],
    [
      'the right to list',
      () => ({
        list: () => ({
          [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(denied('list')) }),
        }),
      }),
      true,
      [
        'warning ERR_CACHE_ACCESS_DENIED: cannot list: list is forbidden: grant it (purging a source will not work)',
      ],
    ],
    [
      'the right to delete',
      () => ({ delete: () => Promise.reject(denied('delete')) }),
      true,
      [
        'warning ERR_CACHE_ACCESS_DENIED: cannot delete: delete is forbidden: grant it (deleting and purging will not work)',
      ],
    ],
    [
      'every right but to write',
      () => ({
        get: () => Promise.reject(denied('get')),
        list: () => {
          throw denied('list');
        },
        delete: () => Promise.reject(denied('delete')),
      }),
      false,
      [
        'error ERR_CACHE_ACCESS_DENIED: cannot read: get is forbidden: grant it',
        'warning ERR_CACHE_ACCESS_DENIED: cannot list: list is forbidden: grant it (purging a source will not work)',
        'warning ERR_CACHE_ACCESS_DENIED: cannot delete: delete is forbidden: grant it (deleting and purging will not work)',
      ],
    ],
    [
      'memory: what is written is not there',
      () => ({ get: async () => undefined }),
      false,
      ['error ERR_CACHE_UNAVAILABLE: cannot read: what was just written is not there'],
    ],
    [
      'the bytes it was given',
      (memory) => ({
        async get(name) {
          const entry = memory.peek(name);
          return (
            entry &&
            new BufferedEntry(
              entry.metadata,
              entry.body.map((byte) => byte ^ 1),
              false,
            )
          );
        },
      }),
      false,
      [
        `error ERR_CACHE_CORRUPT: cannot read: entry ${RESERVED} is corrupt: its body does not have its CRC-32`,
      ],
    ],
    [
      'the name it was given',
      (memory) => ({
        async get(name) {
          const entry = memory.peek(name);
          return entry && new BufferedEntry({ ...entry.metadata, name: 'v1/other' }, entry.body, false);
        },
      }),
      false,
      [
        `error ERR_CACHE_CORRUPT: cannot read: entry ${RESERVED} is corrupt: it was stored under the name v1/other`,
      ],
    ],
    [
      'the manners to fail with a CacheError',
      () => ({ put: () => Promise.reject(new Error('AKIA-secret')) }),
      false,
      ['error ERR_CACHE_DRIVER_CONTRACT: cannot write: write failed with something that is not a CacheError'],
    ],
  ])('finds a driver without %s', async (_what, changes, ok, findings) => {
    const answer = await check(driverWith(changes));
    expect(summary(answer)).toEqual({ ok, findings });
    expect(answer.findings.every(({ error }) => isCacheError(error))).toBe(true);
    expect(JSON.stringify(answer)).not.toContain('AKIA');
  });

  it('says which right each finding is about', async () => {
    const driver = driverWith(() => ({
      list: () => {
        throw denied('list');
      },
      delete: () => Promise.reject(denied('delete')),
    }));
    const { findings } = await check(driver);
    expect(findings.map(({ subject }) => subject)).toEqual(['list', 'delete']);
  });

  it('ends with the signal', async () => {
    expect(summary(await check(new MemoryDriver(), AbortSignal.abort()))).toEqual({
      ok: false,
      findings: ['error ERR_CACHE_ABORTED: cannot write: put was aborted by the caller'],
    });
  });

  it('leaves the entry it read consumed or released', async () => {
    let disposed = 0;
    const driver = driverWith((memory) => ({
      async get(name) {
        const entry = memory.peek(name);
        if (entry === undefined) return undefined;
        const stored = new BufferedEntry({ ...entry.metadata, name: 'v1/other' }, entry.body, false);
        const dispose = stored[Symbol.asyncDispose].bind(stored);
        return Object.assign(stored, {
          [Symbol.asyncDispose]: () => {
            disposed++;
            return dispose();
          },
        });
      },
    }));
    await check(driver);
    expect(disposed).toBe(1);
  });

  it('finds nothing wrong when several processes check the same store at the same time', async () => {
    const store = new MemoryDriver();
    let turn = 0;
    // Every process is ahead of or behind the others by some turns of the event loop.
    const processes = Array.from({ length: 8 }, () =>
      driverWith(() => {
        const late = async <T>(operation: () => Promise<T>): Promise<T> => {
          for (let left = turn++ % 4; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
          return operation();
        };
        return {
          get: (name) => late(() => store.get(name)),
          put: (name, entry) => late(() => store.put(name, entry)),
          delete: (names) => late(() => store.delete(names)),
          list: (prefix) => store.list(prefix),
        };
      }),
    );
    const answers = await Promise.all(processes.map((driver) => check(driver)));
    expect(answers.flatMap(({ findings }) => findings)).toEqual([]);
  });
});
