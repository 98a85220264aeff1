import type { DriverCheck } from '@imgproxy-cache/core/driver';
import { isCacheError } from '@imgproxy-cache/core/driver';
import { rulesOf } from '../contract-rule.js';
import {
  collect,
  describeFailure,
  expectMiss,
  expectRejection,
  expectThat,
  listed,
} from '../expectations.js';
import { leakOf } from '../held-resources.js';
import { MEGABYTE, sampleBody, sampleEntry } from '../sample-entries.js';

const CHECKS_AT_ONCE = 8;

/** check and close. */
export const lifecycleRules = rulesOf('lifecycle', [
  {
    id: 'check-passes',
    statement: 'check of a healthy store is ok every time, and its findings are readable',
    reason: 'A false alarm can keep a service from starting.',
    source: 'CacheDriver.check',
    async prove({ driver }) {
      for (const time of ['first', 'second']) {
        const check = await driver.check();
        expectThat(check.ok, `the ${time} check`, 'ok', `it found: ${findingsOf(check)}`);
        expectWords(check, `the ${time} check`);
      }
    },
  },
  {
    id: 'check-leaves-nothing',
    needs: ['delete', 'list'],
    statement: 'check removes what it wrote, and changes no entry',
    reason: 'Every process of a service checks at every start.',
    source: 'DriverContext.reservedName',
    async prove({ driver, reservedName, name }) {
      const entry = sampleEntry(name('entry'));
      await driver.put(name('entry'), entry);
      await driver.check();
      await expectMiss(driver, reservedName, 'check, then get of the reserved name');
      const folder = reservedName.slice(0, reservedName.lastIndexOf('/') + 1);
      const names = await listed(driver, folder);
      const same = names.length === 1 && names[0] === name('entry');
      expectThat(same, 'put, check, then list', 'the one entry', `there is: ${names.join(', ')}`);
    },
  },
  {
    id: 'check-finds-outage',
    needs: ['outage'],
    statement: 'check of a failing store is not ok, and one of its findings is an error with a CacheError',
    reason: 'A check that only parses the configuration misses what operators get wrong.',
    source: 'CacheDriver.check: writes, reads, compares; CheckFinding',
    async prove({ driver, doors }) {
      await driver.check();
      await doors.outage();
      const check = await driver.check();
      expectThat(!check.ok, 'check during an outage', 'not ok', 'it is ok');
      expectWords(check, 'check during an outage');
      const causes = check.findings.filter(({ level, error }) => level === 'error' && isCacheError(error));
      const but = `there is: ${findingsOf(check)}`;
      expectThat(causes.length > 0, 'check during an outage', 'an error that carries a CacheError', but);
    },
  },
  {
    id: 'checks-at-once',
    statement: 'concurrent checks of one store do not disturb each other',
    reason: 'The processes of a service start together.',
    source: 'checkRoundTrip: several processes may check the same store at the same time',
    async prove({ driver, open, capabilities }) {
      const drivers = Array.from({ length: CHECKS_AT_ONCE }, () => (capabilities.shared ? open() : driver));
      for (const check of await Promise.all(drivers.map((each) => each.check()))) {
        const story = `${CHECKS_AT_ONCE} checks at the same time`;
        expectThat(check.ok, story, 'all ok', `one found: ${findingsOf(check)}`);
      }
    },
  },
  {
    id: 'close-twice',
    statement: 'close succeeds every time it is called, concurrently and on an unused driver too',
    reason: 'Containers, signal handlers and tests may each close the driver.',
    source: 'CacheDriver.close: idempotent',
    async prove({ driver, open }) {
      await driver.check();
      const unused = open();
      const closings = [driver.close(), driver.close(), unused.close()];
      for (const outcome of await Promise.allSettled(closings)) {
        const but = outcome.status === 'rejected' ? `one rejected with ${outcome.reason}` : '';
        expectThat(outcome.status === 'fulfilled', 'close, twice at once', 'success', but);
      }
      const [outcome] = await Promise.allSettled([driver.close()]);
      const but = outcome.status === 'rejected' ? `it rejected with ${outcome.reason}` : '';
      expectThat(outcome.status === 'fulfilled', 'close of what is closed', 'success', but);
    },
  },
  {
    id: 'use-after-close',
    statement: 'get, put, delete and list after close fail with ERR_CACHE_CLOSED',
    reason: 'A connection that a late request opens would keep the process alive, and a miss would be wrong.',
    source: 'ERR_CACHE_CLOSED',
    async prove({ driver, can, name }) {
      const entry = sampleEntry(name('entry'));
      await driver.put(name('entry'), entry);
      await driver.close();
      const operations: Record<string, () => Promise<unknown>> = {
        get: () => driver.get(name('entry')),
        put: () => driver.put(name('entry'), entry),
        ...(can.delete && {
          delete: () => driver.delete([name('entry')]),
        }),
        ...(can.list && { list: () => collect(driver.list(name(''))) }),
      };
      for (const [title, operation] of Object.entries(operations)) {
        await expectRejection(operation, `${title} after close`, 'ERR_CACHE_CLOSED');
      }
    },
  },
  {
    id: 'close-under-load',
    statement: 'close ends while operations run, and each of them succeeds or fails with a CacheError',
    reason: 'A service must be able to stop while it has requests.',
    source: 'CacheDriver.close: releases everything',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('entry'), sampleBody(sizeUpTo(2 * MEGABYTE)));
      await driver.put(name('entry'), entry);
      const running = Array.from({ length: 12 }, (_, index) => {
        const place = name(`${index}`);
        if (index % 2 === 0) return driver.put(place, sampleEntry(place, entry.body));
        return driver.get(name('entry')).then((found) => found?.bytes());
      });
      const outcomes = Promise.allSettled(running);
      await driver.close();
      for (const outcome of await outcomes) {
        if (outcome.status === 'fulfilled') continue;
        const { reason } = outcome;
        expectThat(
          isCacheError(reason),
          'close under load',
          'CacheErrors',
          `it was ${describeFailure(reason)}`,
        );
      }
    },
  },
  {
    id: 'close-releases',
    statement: 'after close the driver holds no file, socket, timer or worker',
    reason: 'What is left keeps the process alive until the orchestrator kills it.',
    source: 'CacheDriver.close: nothing keeps the process alive afterwards',
    async prove({ open, name }) {
      const leak = await leakOf(
        async () => {
          const drivers = Array.from({ length: 3 }, open);
          for (const [index, driver] of drivers.entries()) {
            const place = name(`${index}`);
            await driver.put(place, sampleEntry(place));
            await (await driver.get(place))?.bytes();
            await driver.check();
          }
          for (const driver of drivers) await driver.close();
        },
        { tolerance: 0 },
      );
      expectThat(leak === undefined, 'use of three drivers, then close', 'nothing held', `it is ${leak}`);
    },
  },
]);

function expectWords({ findings }: DriverCheck, story: string): void {
  for (const { subject, message } of findings) {
    const words = message.trim().split(/\s+/);
    expectThat(words.length > 2, story, `words about ${subject}`, `there is "${message}"`);
  }
}

function findingsOf({ findings }: DriverCheck): string {
  return findings.map(({ level, message }) => `${level}: ${message}`).join('; ') || 'nothing';
}
