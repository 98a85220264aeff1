import {
  type CacheDriver,
  createEntry,
  isCacheError,
  readVerified,
  streamVerified,
} from '@imgproxy-cache/core/driver';
import { type BodyEffect, FaultDriver, type FaultEffect, ManualClock } from '@imgproxy-cache/driver-testkit';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';
import { subjectOf } from './broken-drivers/broken-driver.js';
import { SoundDriver } from './broken-drivers/sound-driver.js';
import { runContract } from './rule-run.js';

const NAME = 'images/a';
const SIZE = 300_000;
const ENTRY = createEntry(
  { name: NAME, contentType: 'image/png', created: 1 },
  Buffer.alloc(SIZE, 'an image of some kind '),
);

async function faultyMemory(seed?: number) {
  const clock = new ManualClock({ now: 0 });
  const memory = new MemoryDriver();
  await memory.put(NAME, ENTRY);
  return { clock, memory, faults: new FaultDriver(memory, { clock, ...(seed !== undefined && { seed }) }) };
}

async function bodyOf(driver: CacheDriver): Promise<Uint8Array | undefined> {
  return await (await driver.get(NAME))?.bytes();
}

function expectWhole(body: Uint8Array | undefined): void {
  expect(body && Buffer.compare(body, ENTRY.body)).toBe(0);
}

/** Whether a promise has settled by the time that everything else that can go on has. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<{ length: number; error: unknown }> {
  let length = 0;
  try {
    for await (const chunk of chunks) length += chunk.length;
    return { length, error: undefined };
  } catch (error) {
    return { length, error };
  }
}

describe('a fault driver without faults', () => {
  it('keeps the contract', async () => {
    const subject = subjectOf(SoundDriver);
    const { definition } = subject;
    const create: typeof definition.create = (config, context) =>
      new FaultDriver(definition.create(config, context));
    const { failures } = await runContract({ ...subject, definition: { ...definition, create } });
    expect([...failures]).toEqual([]);
  }, 60_000);

  it('counts calls', async () => {
    const { faults } = await faultyMemory();
    await bodyOf(faults);
    await faults.get('images/absent');
    await faults.check();
    expect(faults.calls).toEqual({ get: 2, body: 1, put: 0, delete: 0, list: 0, check: 1, close: 0 });
    expect(Object.values(faults.strikes)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('an error', () => {
  it('has the code that was asked for, and reaches every operation', async () => {
    const { faults } = await faultyMemory();
    const operations = {
      get: () => faults.get(NAME),
      put: () => faults.put(NAME, ENTRY),
      delete: () => faults.delete([NAME]),
      list: async () => {
        for await (const _name of faults.list('')) break;
      },
      check: () => faults.check(),
      close: () => faults.close(),
    };
    for (const [point, operation] of Object.entries(operations)) {
      faults.inject(point as keyof typeof operations, { kind: 'error', code: 'ERR_CACHE_TIMEOUT' });
      await expect(operation()).rejects.toMatchObject({
        name: 'CacheError',
        code: 'ERR_CACHE_TIMEOUT',
        operation: point,
        retryable: true,
      });
    }
    expect(faults.strikes).toEqual({ get: 1, body: 0, put: 1, delete: 1, list: 1, check: 1, close: 1 });
    faults.clear();
    expectWhole(await bodyOf(faults));
  });

  it('may be no CacheError at all', async () => {
    const { faults } = await faultyMemory();
    faults.inject('get', { kind: 'error', thrown: () => new TypeError('x is not a function') });
    await expect(faults.get(NAME)).rejects.toThrow(TypeError);
  });

  it('comes after the work is done where only the answer is to be lost', async () => {
    const { faults, memory } = await faultyMemory();
    faults.inject('put', { kind: 'error', done: true });
    faults.inject('delete', { kind: 'error' });
    await expect(faults.put('images/b', { ...ENTRY })).rejects.toMatchObject({
      code: 'ERR_CACHE_UNAVAILABLE',
    });
    expect(memory.peek('images/b')).toBeDefined();
    await expect(faults.delete([NAME])).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE' });
    expect(memory.peek(NAME)).toBeDefined();
  });

  it('breaks a stream off in its midst', async () => {
    const { faults } = await faultyMemory();
    faults.inject('body', { kind: 'error', offset: 150_000 });
    const found = await faults.get(NAME);
    if (found === undefined) throw new Error('expected a hit');
    const { length, error } = await drain(found.stream());
    expect(error).toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE' });
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThanOrEqual(150_000);
  });
});

describe('conditions', () => {
  const outcomes = async (faults: FaultDriver, calls: number): Promise<string> => {
    let marks = '';
    for (let call = 0; call < calls; call += 1) {
      marks += (await faults.get(NAME).then(
        () => true,
        () => false,
      ))
        ? '.'
        : 'x';
    }
    return marks;
  };

  it('count calls: after so many, so many times', async () => {
    const { faults } = await faultyMemory();
    const fault = faults.inject('get', { kind: 'error' }, { after: 2, times: 3 });
    expect(await outcomes(faults, 8)).toBe('..xxx...');
    expect(fault.strikes).toBe(3);
  });

  it('draw lots, and the same lots with the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const { faults } = await faultyMemory(seed);
      faults.inject('get', { kind: 'error' }, { probability: 0.25 });
      return outcomes(faults, 400);
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
    const share = first.replaceAll('.', '').length / first.length;
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.35);
  });

  it('look at the clock', async () => {
    const { faults, clock } = await faultyMemory();
    clock.advance(50);
    faults.inject('get', { kind: 'error' }, { from: 100, until: 200 });
    let marks = '';
    for (let time = 0; time < 5; time += 1) {
      marks += await outcomes(faults, 1);
      clock.advance(50);
    }
    expect(marks).toBe('..xx.');
  });

  it('look at the name', async () => {
    const { faults } = await faultyMemory();
    faults.inject('delete', { kind: 'error' }, { name: (name) => name.endsWith('/b') });
    await faults.delete(['images/c']);
    await expect(faults.delete(['images/c', 'images/b'])).rejects.toMatchObject({
      code: 'ERR_CACHE_UNAVAILABLE',
    });
  });
});

describe('a delay', () => {
  it('lasts as long as the clock says', async () => {
    const { faults, clock } = await faultyMemory();
    faults.inject('get', { kind: 'delay', milliseconds: 250 });
    const body = bodyOf(faults);
    clock.advance(249);
    expect(await isSettled(body)).toBe(false);
    clock.advance(1);
    expectWhole(await body);
    expect(clock.timers).toBe(0);
  });

  it('adds up with others, and an error may follow it', async () => {
    const { faults, clock } = await faultyMemory();
    faults.inject('get', { kind: 'delay', milliseconds: 100 });
    faults.inject('get', { kind: 'error', code: 'ERR_CACHE_NO_SPACE' });
    const get = faults.get(NAME);
    expect(await isSettled(get)).toBe(false);
    clock.advance(100);
    await expect(get).rejects.toMatchObject({ code: 'ERR_CACHE_NO_SPACE' });
  });
});

describe('a hang', () => {
  it('lasts until it is removed, and then the operation goes on', async () => {
    const { faults } = await faultyMemory();
    const hang = faults.inject('get', { kind: 'hang' });
    const body = bodyOf(faults);
    expect(await isSettled(body)).toBe(false);
    hang.remove();
    expectWhole(await body);
    expectWhole(await bodyOf(faults));
  });

  it('obeys the signal, unless it is deaf', async () => {
    const { faults } = await faultyMemory();
    for (const deaf of [false, true]) {
      const hang = faults.inject('put', { kind: 'hang', deaf });
      const controller = new AbortController();
      const put = faults.put(NAME, ENTRY, { signal: controller.signal });
      put.catch(() => undefined);
      controller.abort();
      expect(await isSettled(put)).toBe(!deaf);
      hang.remove();
      await expect(put).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
    }
  });

  it('of a body ends when the entry is given up', async () => {
    const { faults } = await faultyMemory();
    faults.inject('body', { kind: 'hang' });
    const found = await faults.get(NAME);
    const bytes = found?.bytes();
    bytes?.catch(() => undefined);
    expect(await isSettled(Promise.resolve(bytes))).toBe(false);
    await found?.discard();
    await expect(bytes).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
  });
});

describe('a lie', () => {
  const lie: FaultEffect = { kind: 'lie' };

  it('of get is a miss that is none', async () => {
    const { faults } = await faultyMemory();
    faults.inject('get', lie);
    expect(await faults.get(NAME)).toBeUndefined();
  });

  it('of put says that it has stored and has not', async () => {
    const { faults, memory } = await faultyMemory();
    faults.inject('put', lie);
    await faults.put('images/b', ENTRY);
    expect(memory.names).toEqual([NAME]);
  });

  it('of delete leaves a hit that was deleted', async () => {
    const { faults } = await faultyMemory();
    faults.inject('delete', lie);
    await faults.delete([NAME]);
    expectWhole(await bodyOf(faults));
  });

  it('of list knows no names, of check no trouble', async () => {
    const { faults, memory } = await faultyMemory();
    faults.inject('list', lie);
    faults.inject('check', lie);
    for await (const name of faults.list('')) expect(name).toBe('not to be listed');
    await memory.close();
    expect(await faults.check()).toEqual({ ok: true, findings: [] });
  });
});

describe('damage to a body', () => {
  const damages: Record<string, BodyEffect> = {
    'cut off': { kind: 'truncate', bytes: 100_000 },
    'cut off at its beginning': { kind: 'truncate', bytes: 0 },
    'changed in its midst': { kind: 'corrupt' },
    'changed in its last byte': { kind: 'corrupt', offset: SIZE - 1 },
  };
  for (const [title, damage] of Object.entries(damages)) {
    it(`is found by whoever verifies: ${title}, as bytes and as a stream`, async () => {
      const { faults, memory } = await faultyMemory();
      faults.inject('body', damage, { times: 2 });
      for (const read of ['bytes', 'stream']) {
        const found = await faults.get(NAME);
        if (found === undefined) throw new Error('expected a hit');
        const error =
          read === 'bytes'
            ? await readVerified(found).catch((thrown: unknown) => thrown)
            : (await drain(streamVerified(found))).error;
        expect(isCacheError(error) && error.code).toBe('ERR_CACHE_CORRUPT');
      }
      expectWhole(await bodyOf(faults));
      expectWhole(memory.peek(NAME)?.body);
    });
  }

  it('is just as it was asked for', async () => {
    const { faults } = await faultyMemory();
    const [cut, changed] = [
      { kind: 'truncate', bytes: 70_000 },
      { kind: 'corrupt', offset: 66_000 },
    ] as const;
    faults.inject('body', cut);
    faults.inject('body', changed);
    const expected = Buffer.from(ENTRY.body.subarray(0, 70_000));
    expected.writeUInt8(expected.readUInt8(66_000) ^ 1, 66_000);
    expect(Buffer.compare((await bodyOf(faults)) ?? new Uint8Array(), expected)).toBe(0);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await faults.get(NAME))?.stream() ?? []) chunks.push(chunk);
    expect(Buffer.compare(Buffer.concat(chunks), expected)).toBe(0);
  });
});
