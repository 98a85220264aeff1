import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ABORT_MOMENTS, abortedAt, turns } from '../abort-moments.js';
import { rulesOf } from '../contract-rule.js';
import {
  collect,
  describeFailure,
  expectBody,
  expectDoneOrAborted,
  expectEntry,
  expectHit,
  expectMiss,
  expectRejection,
  expectThat,
} from '../expectations.js';
import { leakOf } from '../held-resources.js';
import type { RuleBench } from '../rule-bench.js';
import { MEGABYTE, sampleBody, sampleEntry } from '../sample-entries.js';
import { gatherUnhandledRejections } from '../unhandled-rejections.js';

const LARGE = 3 * MEGABYTE;
const PATIENCE_TURNS = 200;
const STORED = 'stored';
const SOON_MS = 5000;
// By then a request has reached the store.
const IN_SILENCE = { title: 'in a silence', wait: () => delay(100) };

/** Effects of a signal that aborts before, during or after an operation. */
export const abortRules = rulesOf('aborts', [
  {
    id: 'aborted-before',
    statement:
      'with a signal that is already aborted an operation does nothing and fails with ERR_CACHE_ABORTED',
    reason: 'The request is over; further work only loads the store.',
    source: 'OperationOptions.signal',
    async prove({ driver, can, name }) {
      const entry = sampleEntry(name(STORED));
      await driver.put(name(STORED), entry);
      const signal = AbortSignal.abort();
      const rejects = (title: string, operation: () => Promise<unknown>): Promise<unknown> =>
        expectRejection(operation, `${title} with an aborted signal`, 'ERR_CACHE_ABORTED');
      await rejects('get', () => driver.get(name(STORED), { signal }));
      await rejects('get of a miss', () => driver.get(name('absent'), { signal }));
      await rejects('put', () => driver.put(name('put'), sampleEntry(name('put')), { signal }));
      await turns(PATIENCE_TURNS);
      await expectMiss(driver, name('put'), 'put with an aborted signal, then get');
      if (can.delete) {
        await rejects('delete', () => driver.delete([name(STORED)], { signal }));
        await turns(PATIENCE_TURNS);
        await expectEntry(driver, name(STORED), entry, 'delete with an aborted signal, then get');
      }
      if (can.list) {
        await rejects('list', () => collect(driver.list(name(''), { signal })));
      }
    },
  },
  {
    id: 'aborted-during',
    statement: 'an operation that is aborted at any moment soon succeeds or fails with ERR_CACHE_ABORTED',
    reason: 'Any other code counts as a failure of the store, although the store is healthy.',
    source: 'OperationOptions.signal; ERR_CACHE_ABORTED',
    async prove(bench) {
      const operations = await abortableOperations(bench);
      for (const [title, operation] of Object.entries(operations)) {
        for (const moment of ABORT_MOMENTS) {
          const outcome = await abortedAt(moment, operation);
          expectDoneOrAborted(outcome, `${title}, aborted ${moment.title}`);
        }
      }
    },
  },
  {
    id: 'aborted-reading',
    statement: 'an aborted read of a body fails with ERR_CACHE_ABORTED before the body is complete',
    reason: 'Otherwise a truncated picture ends like a whole one.',
    source: 'StoredEntry.bytes, StoredEntry.stream: OperationOptions.signal',
    async prove({ driver, sizeUpTo, name }) {
      await driver.put(name(STORED), sampleEntry(name(STORED), sampleBody(sizeUpTo(LARGE))));
      const signal = AbortSignal.abort();
      const unread = await expectHit(driver, name(STORED), 'put, then get');
      const bytes = (): Promise<unknown> => unread.bytes({ signal });
      await expectRejection(bytes, 'bytes with an aborted signal', 'ERR_CACHE_ABORTED');
      const controller = new AbortController();
      const found = await expectHit(driver, name(STORED), 'put, then get');
      const stream = async (): Promise<unknown> => {
        let length = 0;
        for await (const chunk of found.stream({ signal: controller.signal })) {
          length += chunk.length;
          controller.abort();
        }
        return length;
      };
      await expectRejection(stream, 'stream, aborted after its first chunk', 'ERR_CACHE_ABORTED');
    },
  },
  {
    id: 'aborted-in-silence',
    needs: ['stall'],
    statement: 'while the store does not answer, an abort soon ends every operation and every read of a body',
    reason: 'Deadlines are signals: a driver that ignores one makes the request wait for the store.',
    source: 'OperationOptions.signal: ends the operation at any moment; StoredEntry.bytes',
    async prove(bench) {
      const { driver, doors, name } = bench;
      const operations = await abortableOperations(bench);
      const forBytes = await expectHit(driver, name(STORED), 'put, then get');
      const forStream = await expectHit(driver, name(STORED), 'put, then get');
      const resume = await doors.stall();
      try {
        const begunBefore: typeof operations = {
          'bytes of what was got before': (signal) => forBytes.bytes({ signal }),
          'stream of what was got before': (signal) => collect(forStream.stream({ signal })),
        };
        for (const [title, operation] of Object.entries({ ...begunBefore, ...operations })) {
          const story = `${title}, aborted while the store is silent`;
          const outcome = await Promise.race([
            abortedAt(IN_SILENCE, operation),
            delay(SOON_MS, undefined, { ref: false }),
          ]);
          if (outcome !== undefined) expectDoneOrAborted(outcome, story);
          else
            expectThat(false, story, 'success or ERR_CACHE_ABORTED', `it goes on ${SOON_MS / 1000} s later`);
        }
      } finally {
        await resume();
      }
      const entry = sampleEntry(name('later'));
      await driver.put(name('later'), entry);
      await expectEntry(driver, name('later'), entry, 'aborts in a silence, put after it, then get');
    },
  },
  {
    id: 'aborted-after',
    statement: 'a signal that aborts after its operation has no effect: the body of a get can still be read',
    reason: 'The deadline of a look-up often passes while its result is still being served.',
    source: 'CacheDriver.get; StoredEntry.bytes and StoredEntry.stream take a signal of their own',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name(STORED), sampleBody(sizeUpTo(LARGE)));
      const put = new AbortController();
      await driver.put(name(STORED), entry, { signal: put.signal });
      put.abort();
      await turns(PATIENCE_TURNS);
      await expectEntry(driver, name(STORED), entry, 'put, abort of its signal, then get');
      for (const read of ['bytes', 'stream'] as const) {
        const get = new AbortController();
        const story = `get, abort of its signal, then ${read}`;
        const found = await expectHit(driver, name(STORED), story, { signal: get.signal });
        get.abort();
        await turns(2);
        const reading = read === 'bytes' ? found.bytes() : collect(found.stream()).then(Buffer.concat);
        const [outcome] = await Promise.allSettled([reading]);
        if (outcome.status === 'fulfilled') expectBody(outcome.value, entry.body, story);
        else expectThat(false, story, 'the body', `it was ${describeFailure(outcome.reason)}`);
      }
    },
  },
  {
    id: 'no-listener-left',
    statement: 'an operation leaves no listener on its signal',
    reason: 'On a signal that lives as long as the process they pile up until memory runs out.',
    source: 'OperationOptions.signal; MaxListenersExceededWarning of Node.js',
    async prove(bench) {
      const { driver, name } = bench;
      const operations = {
        ...(await abortableOperations(bench)),
        'get, then discard': async (signal: AbortSignal) => {
          const found = await expectHit(driver, name(STORED), 'put, then get', { signal });
          await found.discard();
        },
        'a stream that is left': async (signal: AbortSignal) => {
          const found = await expectHit(driver, name(STORED), 'put, then get', { signal });
          for await (const _chunk of found.stream({ signal })) break;
        },
        'a refused put': async (signal: AbortSignal) => {
          const refused = sampleEntry(name('refused'), sampleBody(10), { contentType: 'text/plain' });
          await Promise.allSettled([driver.put(name('refused'), refused, { signal })]);
        },
      };
      for (const [title, operation] of Object.entries(operations)) {
        const { signal } = new AbortController();
        await operation(signal);
        const listeners = await remainingListeners(signal);
        expectThat(listeners === 0, `${title}, then its signal`, 'no listener', `there are ${listeners}`);
      }
    },
  },
  {
    id: 'no-handle-left',
    statement: 'aborted operations, and lists that are left early, leave no file, socket or timer behind',
    reason: 'Aborts come in large numbers when a store is slow.',
    source: 'OperationOptions.signal; CacheDriver.list',
    async prove(bench) {
      const { driver, can, name } = bench;
      const operations = await abortableOperations(bench);
      const leak = await leakOf(async () => {
        for (const operation of Object.values(operations)) {
          for (const moment of [...ABORT_MOMENTS, ...ABORT_MOMENTS, ...ABORT_MOMENTS]) {
            await abortedAt(moment, operation);
          }
        }
        if (!can.list) return;
        for (let time = 0; time < 30; time += 1) {
          for await (const _name of driver.list(name(''))) break;
        }
      });
      expectThat(leak === undefined, 'operations aborted at many moments', 'nothing held', `it is ${leak}`);
    },
  },
  {
    id: 'no-promise-left',
    statement: 'no aborted operation causes an unhandled rejection',
    reason: 'An unhandled rejection ends the process.',
    source: 'Node.js, --unhandled-rejections=throw; vercel/next.js#94751',
    async prove(bench) {
      const operations = await abortableOperations(bench);
      const unhandled = await gatherUnhandledRejections(async () => {
        for (const operation of Object.values(operations)) {
          for (const moment of ABORT_MOMENTS) await abortedAt(moment, operation);
        }
        await bench.driver.close();
        await turns(PATIENCE_TURNS);
      });
      const but = `there were ${unhandled.length}, the first: ${unhandled.slice(0, 1).map(describeFailure)}`;
      expectThat(unhandled.length === 0, 'operations aborted at many moments', 'no unhandled rejection', but);
    },
  },
]);

/** Repeatable operations on entries that are large enough to be aborted halfway. */
async function abortableOperations({
  driver,
  can,
  sizeUpTo,
  name,
}: RuleBench): Promise<Record<string, (signal: AbortSignal) => Promise<unknown>>> {
  const entry = sampleEntry(name(STORED), sampleBody(sizeUpTo(LARGE)));
  const other = sampleEntry(name('other'), sampleBody(sizeUpTo(LARGE)));
  await driver.put(name(STORED), entry);
  return {
    'get of a miss': (signal) => driver.get(name('absent'), { signal }),
    'get, then bytes': async (signal) => {
      await using found = await driver.get(name(STORED), { signal });
      return await found?.bytes({ signal });
    },
    'get, then stream': async (signal) => {
      await using found = await driver.get(name(STORED), { signal });
      return found && (await collect(found.stream({ signal })));
    },
    put: (signal) => driver.put(name('other'), other, { signal }),
    ...(can.delete && {
      delete: (signal) => driver.delete([name('other'), name('absent')], { signal }),
    }),
    ...(can.list && {
      list: (signal) => collect(driver.list(name(''), { signal })),
    }),
  };
}

async function remainingListeners(signal: AbortSignal): Promise<number> {
  let count = getEventListeners(signal, 'abort').length;
  for (let turn = 0; turn < PATIENCE_TURNS && count > 0; turn += 1) {
    await turns(1);
    count = getEventListeners(signal, 'abort').length;
  }
  return count;
}
