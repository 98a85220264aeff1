import { rulesOf } from '../contract-rule.js';
import { collect, expectBody, expectEntry, expectHit } from '../expectations.js';
import { proveAgainstModel } from '../model/model-run.js';
import { MEGABYTE, sampleBody, sampleEntry } from '../sample-entries.js';

const PARALLEL = 200;
const READERS = 30;

/** Concurrent operations. */
export const concurrencyRules = rulesOf('concurrency', [
  {
    id: 'model',
    statement: 'hundreds of mixed concurrent operations have results that a model of the contract allows',
    reason: 'Random operations find unexpected faults, and the reported seed repeats them.',
    source: 'CacheDriver, as a whole',
    prove: proveAgainstModel,
  },
  {
    id: 'parallel-names',
    statement: `${PARALLEL} concurrent puts of different names, then as many gets, mix nothing up`,
    reason: 'Reused buffers and connections can carry the bytes of one picture into another.',
    source: 'CacheDriver.put, CacheDriver.get',
    async prove({ driver, name }) {
      const entries = Array.from({ length: PARALLEL }, (_, index) =>
        sampleEntry(name(`${index}`), sampleBody(500 + index * 37, index), { etag: `"${index}"` }),
      );
      await Promise.all(entries.map((entry) => driver.put(entry.metadata.name, entry)));
      const story = `${PARALLEL} puts at the same time, then as many gets`;
      await Promise.all(entries.map((entry) => expectEntry(driver, entry.metadata.name, entry, story)));
    },
  },
  {
    id: 'many-readers',
    statement: 'concurrent gets of one name each have their own body, to read or to discard',
    reason: 'Many clients read a popular picture at once, and some disconnect.',
    source: 'StoredEntry: consumed once',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('popular'), sampleBody(sizeUpTo(MEGABYTE + 100_000)));
      await driver.put(name('popular'), entry);
      const story = `${READERS} gets at the same time, some of them given up`;
      const readers = Array.from({ length: READERS }, async (_, index) => {
        const found = await expectHit(driver, name('popular'), story);
        if (index % 3 === 0) return found.discard();
        const body = index % 3 === 1 ? await found.bytes() : Buffer.concat(await collect(found.stream()));
        expectBody(body, entry.body, story);
      });
      await Promise.all(readers);
    },
  },
]);
