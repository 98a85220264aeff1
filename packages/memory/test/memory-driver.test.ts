import {
  type CacheEntry,
  checkDriver,
  createEntry,
  decodeMetadata,
  encodeMetadata,
  readVerified,
  systemClock,
} from '@imgproxy-cache/core/driver';
import memory, { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';

const ALLOWANCE = 1024;

function entry(name: string, size = 100, fill = 1): CacheEntry {
  return createEntry(
    { name, contentType: 'image/png', created: 5, etag: '"e"', tags: ['a'] },
    new Uint8Array(size).fill(fill),
  );
}

async function driverWith(names: readonly string[], limits = {}): Promise<MemoryDriver> {
  const driver = new MemoryDriver(limits);
  for (const name of names) await driver.put(name, entry(name));
  return driver;
}

async function namesOf(list: AsyncIterable<string>): Promise<string[]> {
  const names: string[] = [];
  for await (const name of list) names.push(name);
  return names;
}

async function listed(driver: MemoryDriver, prefix = ''): Promise<string[]> {
  return (await namesOf(driver.list(prefix))).sort();
}

describe('an entry', () => {
  it('is got as it was put, as often as wanted, and verified', async () => {
    const driver = await driverWith([]);
    const put = entry('v1/a', 300, 7);
    await driver.put('v1/a', put);
    for (let time = 0; time < 2; time++) {
      const got = await driver.get('v1/a');
      expect(got?.verified).toBe(true);
      expect(got?.metadata).toEqual(put.metadata);
      expect(got && Buffer.compare(await readVerified(got), put.body)).toBe(0);
      expect(decodeMetadata(encodeMetadata(got?.metadata ?? put.metadata))).toEqual(put.metadata);
    }
  });

  it('that was never put is a miss', async () => {
    const driver = await driverWith(['a']);
    expect(await driver.get('b')).toBeUndefined();
    expect(await driver.get('')).toBeUndefined();
  });

  it('is a copy: what happens to the bytes or the metadata that were put does not reach it', async () => {
    const driver = await driverWith([]);
    const metadata = { ...entry('a').metadata };
    const body = new Uint8Array(100).fill(1);
    await driver.put('a', { metadata, body });
    body.fill(2);
    metadata.contentType = 'image/gif' as never;
    const got = await driver.get('a');
    expect(got?.metadata.contentType).toBe('image/png');
    expect(got && (await got.bytes()).every((byte) => byte === 1)).toBe(true);
  });

  it('does not keep a large buffer alive of which it was a small part', async () => {
    const driver = await driverWith([]);
    const large = new Uint8Array(1_000_000);
    await driver.put(
      'a',
      createEntry({ name: 'a', contentType: 'image/png', created: 0 }, large.subarray(0, 10)),
    );
    expect(driver.peek('a')?.body.buffer.byteLength).toBe(10);
  });

  it('replaces an older one of its name, and its bytes', async () => {
    const driver = await driverWith(['a', 'b']);
    await driver.put('a', entry('a', 500, 9));
    expect(driver.size).toBe(2);
    expect(driver.bytes).toBe(600 + 2 * ALLOWANCE);
    expect((await (await driver.get('a'))?.bytes())?.[499]).toBe(9);
  });

  it.each<[string, CacheEntry]>([
    ['a flipped byte', { ...entry('a'), body: new Uint8Array(100).fill(2) }],
    ['a byte too few', { ...entry('a'), body: new Uint8Array(99).fill(1) }],
    ['a byte too many', { ...entry('a'), body: new Uint8Array(101).fill(1) }],
  ])('with %s is refused, and the older one stays', async (_what, corrupt) => {
    const driver = await driverWith(['a']);
    await expect(driver.put('a', corrupt)).rejects.toMatchObject({ code: 'ERR_CACHE_CORRUPT' });
    expect(driver.peek('a')?.body).toEqual(entry('a').body);
  });

  it('with metadata that no other store could keep is refused too', async () => {
    const driver = await driverWith([]);
    const { metadata, body } = entry('a');
    await expect(
      driver.put('a', { metadata: { ...metadata, contentType: 'text/html' }, body }),
    ).rejects.toMatchObject({
      code: 'ERR_CACHE_UNSUPPORTED',
    });
    await expect(
      driver.put('a', { metadata: { ...metadata, etag: 'a'.repeat(257) }, body }),
    ).rejects.toMatchObject({ code: 'ERR_CACHE_TOO_LARGE' });
    expect(driver.size).toBe(0);
  });

  it.each(['', '/a', 'a//b', '../a', 'é', 'a\n'])('cannot have the name %j', async (name) => {
    const driver = await driverWith([]);
    await expect(driver.put(name, entry('a'))).rejects.toMatchObject({ code: 'ERR_CACHE_UNSUPPORTED' });
  });

  it('of no bytes is an entry', async () => {
    const driver = await driverWith([]);
    await driver.put('a', entry('a', 0));
    expect(await (await driver.get('a'))?.bytes()).toHaveLength(0);
  });
});

describe('the least recently used go first', () => {
  it('past the number of entries', async () => {
    const driver = await driverWith(['a', 'b', 'c'], { maxEntries: 3 });
    await driver.get('a');
    await driver.put('d', entry('d'));
    expect(driver.names).toEqual(['d', 'a', 'c']);
  });

  it('past the number of bytes, as many as it takes', async () => {
    const driver = await driverWith(['a', 'b', 'c', 'd'], { maxSize: 4 * (ALLOWANCE + 100) });
    await driver.get('a');
    await driver.put('e', entry('e', 100 + ALLOWANCE + 100));
    expect(driver.names).toEqual(['e', 'a', 'd']);
    expect(driver.bytes).toBe(4 * (ALLOWANCE + 100));
  });

  it('and looking at entries from outside does not count as a use', async () => {
    const driver = await driverWith(['a', 'b'], { maxEntries: 2 });
    driver.peek('a');
    expect(driver.names).toEqual(['b', 'a']);
    await listed(driver);
    await driver.put('c', entry('c'));
    expect(driver.names).toEqual(['c', 'b']);
  });

  it('and replacing one counts as a use', async () => {
    const driver = await driverWith(['a', 'b'], { maxEntries: 2 });
    await driver.put('a', entry('a'));
    await driver.put('c', entry('c'));
    expect(driver.names).toEqual(['c', 'a']);
  });

  it('but none goes for one that is too large for the whole cache', async () => {
    const driver = await driverWith(['a', 'b'], { maxSize: 3000 });
    await driver.put('c', entry('c', 3000 - ALLOWANCE));
    expect(driver.names).toEqual(['c']);
    await expect(driver.put('d', entry('d', 3001 - ALLOWANCE))).rejects.toMatchObject({
      code: 'ERR_CACHE_TOO_LARGE',
      driver: 'memory',
      operation: 'put',
      message: 'entry d has 1977 bytes and the whole memory cache 3000 (IMGPROXY_CACHE_MEMORY_MAX_SIZE)',
    });
    await expect(driver.put('c', entry('c', 5000))).rejects.toMatchObject({ code: 'ERR_CACHE_TOO_LARGE' });
    expect(driver.names).toEqual(['c']);
    expect(driver.peek('c')?.body.length).toBe(3000 - ALLOWANCE);
  });
});

describe('names', () => {
  const NAMES = ['v1/aa/1', 'v1/aa/2', 'v1/ab/1', 'v1', 'w1/aa/1'];

  it.each([
    ['', [...NAMES].sort()],
    ['v1', ['v1', 'v1/aa/1', 'v1/aa/2', 'v1/ab/1']],
    ['v1/', ['v1/aa/1', 'v1/aa/2', 'v1/ab/1']],
    ['v1/a', ['v1/aa/1', 'v1/aa/2', 'v1/ab/1']],
    ['v1/aa/2', ['v1/aa/2']],
    ['aa', []],
    ['v1/aa/22', []],
  ])('are listed by any prefix: %j', async (prefix, expected) => {
    expect(await listed(await driverWith(NAMES), prefix)).toEqual(expected);
  });

  it.each<[string, (driver: MemoryDriver, listed: string, other: string) => Promise<unknown>]>([
    ['used', (driver, _listed, other) => driver.get(other)],
    ['replaced', (driver, _listed, other) => driver.put(other, entry(other))],
    ['deleted once they are listed', (driver, name) => driver.delete([name])],
    [
      'deleted once they are listed, and others put',
      async (driver, name) => {
        await driver.delete([name]);
        await driver.put(`v2/${name}`, entry('v2'));
      },
    ],
  ])('are all listed, once, while entries are %s', async (_what, change) => {
    const names = Array.from({ length: 20 }, (_, index) => `v1/${index + 10}`);
    const driver = await driverWith(names);
    const seen: string[] = [];
    for await (const name of driver.list('v1/')) {
      seen.push(name);
      if (seen.length > 100) break;
      await change(driver, name, names.find((other) => !seen.includes(other)) ?? name);
    }
    expect(seen.sort()).toEqual(names);
  });

  it('are deleted in any number, there or not', async () => {
    const driver = await driverWith(NAMES);
    await driver.delete(['v1/aa/1', 'v1/aa/1', 'nowhere', 'w1/aa/1']);
    await driver.delete([]);
    expect(await listed(driver)).toEqual(['v1', 'v1/aa/2', 'v1/ab/1']);
    expect(driver.bytes).toBe(3 * (ALLOWANCE + 100));
  });

  it('are all forgotten by clear', async () => {
    const driver = await driverWith(NAMES);
    driver.clear();
    expect([driver.size, driver.bytes, driver.names]).toEqual([0, 0, []]);
  });
});

const OPERATIONS: readonly (readonly [
  string,
  (driver: MemoryDriver, signal?: AbortSignal) => Promise<unknown>,
])[] = [
  ['get', (driver, signal) => driver.get('a', { signal })],
  ['put', (driver, signal) => driver.put('b', entry('b'), { signal })],
  ['delete', (driver, signal) => driver.delete(['a'], { signal })],
  ['list', (driver, signal) => namesOf(driver.list('', { signal }))],
];

describe.each(OPERATIONS)('%s', (operation, run) => {
  it('rejects after close, which may be repeated', async () => {
    const driver = await driverWith(['a']);
    await driver.close();
    await driver.close();
    expect(driver.size).toBe(0);
    await expect(run(driver)).rejects.toMatchObject({
      code: 'ERR_CACHE_CLOSED',
      driver: 'memory',
      operation,
      message: `cannot ${operation}: the memory driver is closed`,
    });
  });

  it('rejects and does nothing where the caller has aborted', async () => {
    const driver = await driverWith(['a']);
    const reason = new Error('gone');
    await expect(run(driver, AbortSignal.abort(reason))).rejects.toMatchObject({
      code: 'ERR_CACHE_ABORTED',
      driver: 'memory',
      operation,
      cause: reason,
    });
    expect(driver.names).toEqual(['a']);
  });
});

describe('listing', () => {
  it('ends when the caller aborts or the driver is closed in the middle of it', async () => {
    const controller = new AbortController();
    const driver = await driverWith(['a', 'b']);
    const aborted = driver.list('', { signal: controller.signal });
    await aborted.next();
    controller.abort();
    await expect(aborted.next()).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    const closed = driver.list('');
    await closed.next();
    await driver.close();
    await expect(closed.next()).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' });
  });
});

describe('check', () => {
  const context = { reservedName: 'x/v1/check', clock: systemClock, report: () => undefined };

  it('passes, and leaves nothing behind', async () => {
    const driver = new MemoryDriver();
    expect(await checkDriver(driver, context)).toEqual({ ok: true, findings: [] });
    expect(driver.size).toBe(0);
  });

  it('says that a limit is too low for any image', async () => {
    const driver = memory.create({ maxSize: 500, maxEntries: 1 }, context);
    const { ok, findings } = await checkDriver(driver, context);
    expect(ok).toBe(false);
    expect(findings[0]?.message).toMatch(
      /^cannot write: entry x\/v1\/check has \d+ bytes and the whole memory cache 500 \(IMGPROXY_CACHE_MEMORY_MAX_SIZE\)$/,
    );
  });
});

describe('the definition', () => {
  it('makes drivers with the limits of the configuration', async () => {
    const context = { reservedName: 'check', clock: systemClock, report: () => undefined };
    const driver = memory.create({ maxSize: 10_000, maxEntries: 2 }, context) as MemoryDriver;
    for (const name of ['a', 'b', 'c']) await driver.put(name, entry(name));
    expect(driver.names).toEqual(['c', 'b']);
    expect(memory).toMatchObject({ name: 'memory', contract: 1, capabilities: { shared: false } });
  });
});
