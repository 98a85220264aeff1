import {
  CACHE_ERROR_CODES,
  CacheError,
  type CacheErrorCode,
  isCacheError,
} from '@imgproxy-cache/core/driver';
import { ABORT_MOMENTS, abortedAt } from '../abort-moments.js';
import { rulesOf } from '../contract-rule.js';
import {
  collect,
  describeFailure,
  expectEntry,
  expectHit,
  expectRejection,
  expectThat,
  readLikeCore,
} from '../expectations.js';
import type { RuleBench } from '../rule-bench.js';
import { MEGABYTE, sampleBody, sampleEntry } from '../sample-entries.js';

const SECRET = 'Signature=4f1d2c-never-to-be-shown';

// The same call on the same driver would fail again.
const HOPELESS: ReadonlySet<CacheErrorCode> = new Set([
  'ERR_CACHE_ABORTED',
  'ERR_CACHE_CLOSED',
  'ERR_CACHE_UNSUPPORTED',
  'ERR_CACHE_TOO_LARGE',
  'ERR_CACHE_DRIVER_CONTRACT',
  'ERR_CACHE_CORRUPT',
]);

/** How operations fail. */
export const errorRules = rulesOf('errors', [
  {
    id: 'cache-errors',
    statement: 'every failure is a CacheError with a known code and a readable message',
    reason: 'Core decides by the code, and treats any other error as a broken driver.',
    source: 'CacheDriver: every rejection is a CacheError; CACHE_ERROR_CODES',
    async prove(bench) {
      for (const { title, thrown } of await provokeFailures(bench)) {
        const known = isCacheError(thrown) && CACHE_ERROR_CODES.includes(thrown.code);
        expectThat(known, title, 'a CacheError', `it was ${describeFailure(thrown)}`);
        const words = thrown instanceof Error ? thrown.message.trim().split(/\s+/) : [];
        expectThat(words.length > 2, title, 'a message in words', `it is "${words.join(' ')}"`);
      }
    },
  },
  {
    id: 'rejected-not-thrown',
    statement: 'a failure is a rejection and is never thrown synchronously',
    reason: 'A caller that does not await at once, such as a queue, would not catch it.',
    source: 'CacheDriver: every rejection is a CacheError',
    async prove({ driver, open, name }) {
      const entry = sampleEntry(name('entry'));
      await driver.put(name('entry'), entry);
      const closed = open();
      await closed.close();
      const signal = AbortSignal.abort();
      const refused = sampleEntry(name('entry'), sampleBody(10), { contentType: 'text/plain' });
      const calls: Record<string, () => Promise<unknown>> = {
        'get with an aborted signal': () => driver.get(name('entry'), { signal }),
        'put with an aborted signal': () => driver.put(name('entry'), entry, { signal }),
        'a refused put': () => driver.put(name('entry'), refused),
        'put under no name': () => driver.put('', entry),
        'get under no name': () => driver.get('../..'),
        'delete with an aborted signal': () => driver.delete([name('entry')], { signal }),
        'delete of no name': () => driver.delete(['../..']),
        'get after close': () => closed.get(name('entry')),
        'put after close': () => closed.put(name('entry'), entry),
        'delete after close': () => closed.delete([name('entry')]),
        'check after close': () => closed.check(),
        'a second close': () => closed.close(),
      };
      for (const [title, call] of Object.entries(calls)) {
        let promise: unknown;
        try {
          promise = call();
        } catch (thrown) {
          expectThat(false, title, 'a promise', `it threw ${describeFailure(thrown)}`);
        }
        expectThat(promise instanceof Promise, title, 'a promise', `it returned ${typeof promise}`);
        await Promise.allSettled([promise]);
      }
    },
  },
  {
    id: 'retryable',
    statement: 'a failure that a retry cannot mend is not retryable',
    reason: 'Pointless retries multiply the load and delay the answer.',
    source: 'CacheErrorDetails.retryable',
    async prove(bench) {
      for (const { title, thrown } of await provokeFailures(bench)) {
        if (!isCacheError(thrown) || !HOPELESS.has(thrown.code)) continue;
        expectThat(!thrown.retryable, title, `${thrown.code} not to be retryable`, 'it is');
      }
    },
  },
  {
    id: 'outage',
    needs: ['outage'],
    statement: 'while the store fails, every operation fails, and no look-up is a miss',
    reason: 'An outage that looks like misses causes renderings without an explanation.',
    source: 'CacheDriver: never turns a failure into a miss; fortedigital/nextjs-cache-handler#25',
    async prove(bench) {
      for (const [title, operation] of Object.entries(await operationsInOutage(bench))) {
        await expectRejection(operation, `${title} during an outage`);
      }
    },
  },
  {
    id: 'outage-code',
    needs: ['outage'],
    statement:
      'an unreachable store is a retryable ERR_CACHE_UNAVAILABLE or ERR_CACHE_TIMEOUT; a missing folder is ERR_CACHE_NO_BUCKET',
    reason: 'An outage that is reported as access denied makes operators look for missing permissions.',
    source: 'CacheDriver; CACHE_ERROR_CODES; PreparedStore.outageCode',
    async prove(bench) {
      for (const [title, operation] of Object.entries(await operationsInOutage(bench))) {
        const story = `${title} during an outage`;
        // The previous rule reports an operation that succeeds.
        const [outcome] = await Promise.allSettled([operation()]);
        if (outcome.status === 'fulfilled') continue;
        const failure = (): Promise<never> => Promise.reject(outcome.reason);
        const { code, retryable } = await expectRejection(failure, story, ...bench.outageCodes);
        const expected = new CacheError(code, '').retryable;
        expectThat(retryable === expected, story, `retryable: ${expected}`, `it is ${retryable}`);
      }
    },
  },
  {
    id: 'damage-is-no-hit',
    needs: ['tamper'],
    statement: 'an entry that was truncated or changed in its store never reads like a whole one',
    reason: 'Proxies and browsers would cache the damaged picture.',
    source: 'ERR_CACHE_CORRUPT; StoredEntry.verified; vercel/next.js#93757',
    async prove(bench) {
      await withDamage(bench, async (title, driver, name) => {
        const [outcome] = await Promise.allSettled([readLikeCore(driver, name)]);
        const hit = outcome.status === 'fulfilled' && outcome.value !== undefined;
        expectThat(!hit, title, 'a failure when it is read', 'it read like a whole entry');
      });
    },
  },
  {
    id: 'damage-is-no-miss',
    needs: ['tamper'],
    statement: 'reading a damaged entry fails with ERR_CACHE_CORRUPT, and a put replaces the entry',
    reason: 'Core counts corrupt entries, which are the first sign of a failing disk.',
    source: 'CacheDriver: never turns a failure into a miss; ERR_CACHE_CORRUPT',
    async prove(bench) {
      await withDamage(bench, async (title, driver, name) => {
        const read = (): Promise<unknown> => readLikeCore(driver, name);
        await expectRejection(read, title, 'ERR_CACHE_CORRUPT');
        const entry = sampleEntry(name, sampleBody(20));
        await driver.put(name, entry);
        await expectEntry(driver, name, entry, `${title}, then put and get`);
      });
    },
  },
  {
    id: 'no-secret-shown',
    statement: 'no message has a secret of the configuration or the reason of an abort',
    reason: 'Messages are shown in logs, metrics and error pages.',
    source: 'CacheError: never holds a credential, a cookie or a signed URL; CWE-532',
    async prove(bench) {
      const failures = await provokeFailures(bench);
      const shown = failures.map(({ title, thrown }) => ({ title, text: textOf(thrown) }));
      for (const event of bench.events) shown.push({ title: `event ${event.kind}`, text: event.message });
      for (const { title, text } of shown) {
        const secrets = [...bench.secrets, SECRET].filter((secret) => text.includes(secret));
        expectThat(secrets.length === 0, title, 'no secret in its text', 'one is there');
      }
    },
  },
  {
    id: 'failed-names',
    needs: ['delete'],
    statement: 'a failed delete lists everything that is still stored in failedNames',
    reason: 'A purge is retried for these names; any other would stay.',
    source: 'CacheDriver.delete: what failed is in failedNames',
    async prove({ driver, name }) {
      const names = Array.from({ length: 20 }, (_, index) => name(`${index}`));
      for (const moment of [undefined, ...ABORT_MOMENTS]) {
        for (const each of names) await driver.put(each, sampleEntry(each, sampleBody(10)));
        const outcome = await (moment === undefined
          ? Promise.allSettled([driver.delete(names, { signal: AbortSignal.abort() })]).then(([only]) => only)
          : abortedAt(moment, (signal) => driver.delete(names, { signal })));
        const failedNames =
          outcome.status === 'rejected' && isCacheError(outcome.reason) ? outcome.reason.failedNames : [];
        for (const each of names) {
          const found = await driver.get(each);
          await found?.discard();
          if (found === undefined || failedNames?.includes(each)) continue;
          const story = `delete of ${names.length} names, aborted ${moment?.title ?? 'before'}`;
          const but = `${each} is still stored and not among them (${failedNames?.length ?? 'absent'})`;
          expectThat(false, story, 'what is still stored in failedNames', but);
        }
      }
    },
  },
]);

/** All operations, on an existing and on an absent entry, with the store down. */
async function operationsInOutage({
  driver,
  can,
  doors,
  name,
}: RuleBench): Promise<Record<string, () => Promise<unknown>>> {
  const entry = sampleEntry(name('entry'));
  await driver.put(name('entry'), entry);
  await doors.outage();
  return {
    'get of an entry': () => driver.get(name('entry')),
    'get of what was never put': () => driver.get(name('never-put')),
    put: () => driver.put(name('entry'), entry),
    ...(can.delete && {
      'delete of an entry': () => driver.delete([name('entry')]),
      'delete of what was never put': () => driver.delete([name('never-put')]),
    }),
    ...(can.list && { list: () => collect(driver.list(name(''))) }),
  };
}

interface Failure {
  readonly title: string;
  readonly thrown: unknown;
}

/** Failures that any driver can be made to show. Every signal is aborted with a secret as its reason. */
async function provokeFailures({
  driver,
  open,
  can,
  sizeUpTo,
  name,
}: RuleBench): Promise<readonly Failure[]> {
  const entry = sampleEntry(name('entry'), sampleBody(sizeUpTo(2 * MEGABYTE)));
  await driver.put(name('entry'), entry);
  const closed = open();
  await closed.close();
  const signal = AbortSignal.abort(new Error(SECRET));
  const refused = sampleEntry(name('refused'), sampleBody(10), { contentType: 'text/plain' });
  const twice = await expectHit(driver, name('entry'), 'put, then get');
  await twice.discard();
  const aborted = await expectHit(driver, name('entry'), 'put, then get');
  const operations: Record<string, () => Promise<unknown>> = {
    'get with an aborted signal': () => driver.get(name('entry'), { signal }),
    'put with an aborted signal': () => driver.put(name('entry'), entry, { signal }),
    'delete with an aborted signal': () => driver.delete([name('absent')], { signal }),
    'bytes with an aborted signal': () => aborted.bytes({ signal }),
    'bytes of a consumed body': () => twice.bytes(),
    'a refused put': () => driver.put(name('refused'), refused),
    'put under no name': () => driver.put('..', entry),
    'get after close': () => closed.get(name('entry')),
    'put after close': () => closed.put(name('entry'), entry),
    'delete after close': () => closed.delete([name('entry')]),
    ...(can.list && {
      'list with an aborted signal': () => collect(driver.list(name(''), { signal })),
      'list after close': () => collect(closed.list(name(''))),
    }),
  };
  const failures: Failure[] = [];
  for (const [title, operation] of Object.entries(operations)) {
    try {
      await operation();
    } catch (thrown) {
      failures.push({ title, thrown });
    }
  }
  return failures;
}

async function withDamage(
  { driver, doors, sizeUpTo, name }: RuleBench,
  look: (title: string, driver: RuleBench['driver'], name: string) => Promise<void>,
): Promise<void> {
  for (const size of [1000, sizeUpTo(2 * MEGABYTE)]) {
    const damages: Record<string, (stored: Uint8Array) => Uint8Array> = {
      'cut in half': (stored) => stored.slice(0, stored.length / 2),
      'made empty': () => new Uint8Array(),
      'changed in one bit': (stored) =>
        stored.map((byte, index) => (index === stored.length >> 1 ? byte ^ 1 : byte)),
    };
    for (const [title, change] of Object.entries(damages)) {
      const place = name(`${size}-bytes-${title.replaceAll(' ', '-')}`);
      await driver.put(place, sampleEntry(place, sampleBody(size)));
      await doors.tamper(place, change);
      await look(`an entry of ${size} bytes, ${title}`, driver, place);
    }
  }
}

/** The parts of an error that a log may show. The cause is never logged. */
function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause: _unlogged, ...fields } = thrown as Error & { cause?: unknown };
  return `${thrown.message} ${JSON.stringify(fields)}`;
}
