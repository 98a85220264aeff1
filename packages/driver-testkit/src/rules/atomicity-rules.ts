import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type CacheDriver, type CacheEntry, isCacheError } from '@imgproxy-cache/core/driver';
import { ABORT_MOMENTS, abortedAt, turns } from '../abort-moments.js';
import { rulesOf } from '../contract-rule.js';
import {
  describeFailure,
  expectBody,
  expectEntry,
  expectHit,
  expectList,
  expectMetadata,
  expectThat,
  readLikeCore,
} from '../expectations.js';
import { killWhilePutting } from '../killed-writer.js';
import { MEGABYTE, sampleBody, sampleEntry, versionedEntry } from '../sample-entries.js';

const OVERWRITES = 40;
const READERS = 4;
const KILLS = 5;
const KILLED_BODY_BYTES = 4 * MEGABYTE;

/** What readers see of a put that is under way, failed, or died. */
export const atomicityRules = rulesOf('atomicity', [
  {
    id: 'torn-reads',
    needs: ['atomic-overwrite'],
    statement: 'a read during overwrites gets one whole version: its metadata with its body',
    reason: 'Readers of a file that is written in place see a mixture of versions.',
    source: 'CacheDriver.put: the old entry, the new one or none, never a part; bentocache#74',
    async prove({ driver, sizeUpTo, name }) {
      const place = name('overwritten');
      // Different sizes, so that a tail of the old body would show.
      const versions = [MEGABYTE, 700_001].map((size, index) => versionedEntry(place, index, sizeUpTo(size)));
      await putInTurn(driver, place, versions, 0);
      let reading = true;
      const read = async (): Promise<void> => {
        while (reading) {
          await expectOneOf(driver, place, versions, 'get during an overwrite', true);
          // What answers without waiting for anything would otherwise let nobody else go on.
          await turns(1);
        }
      };
      const readers = Promise.all(Array.from({ length: READERS }, read)).finally(() => {
        reading = false;
      });
      const write = async (): Promise<void> => {
        for (let turn = 1; turn <= OVERWRITES && reading; turn += 1) {
          await putInTurn(driver, place, versions, turn);
          await turns(1);
        }
        reading = false;
      };
      await Promise.all([readers, write()]);
    },
  },
  {
    id: 'reader-keeps-version',
    needs: ['atomic-overwrite'],
    statement: 'an entry that was got before an overwrite never has the new body with the old metadata',
    reason: 'The metadata has already been sent to the client as headers.',
    source: 'StoredEntry.metadata; CacheDriver.put',
    async prove({ driver, sizeUpTo, name }) {
      const place = name('kept');
      const size = sizeUpTo(2 * MEGABYTE);
      const [old, young] = [versionedEntry(place, 1, size), versionedEntry(place, 2, size)];
      await driver.put(place, old);
      const found = await expectHit(driver, place, 'put, then get');
      await driver.put(place, young);
      expectMetadata(found.metadata, old.metadata, 'get, overwrite, then the metadata');
      const [outcome] = await Promise.allSettled([found.bytes()]);
      const story = 'get, overwrite, then bytes of what was got';
      // A store that cannot keep the old version says so.
      if (outcome.status === 'fulfilled') expectBody(outcome.value, old.body, story);
      else expectThat(isCacheError(outcome.reason), story, 'a CacheError', describeFailure(outcome.reason));
    },
  },
  {
    id: 'two-writers',
    statement: 'of two simultaneous puts of one name, one wins whole',
    reason: 'Two processes often render the same picture at the same time.',
    source: 'CacheDriver.put',
    async prove({ driver, open, capabilities, sizeUpTo, name }) {
      const second = capabilities.shared ? open() : driver;
      for (let round = 0; round < 12; round += 1) {
        const place = name(`contended-${round % 3}`);
        const entries = [MEGABYTE, 300_000 + round].map((size, index) =>
          versionedEntry(place, index, sizeUpTo(size)),
        );
        const [one, two] = entries;
        if (one === undefined || two === undefined) return;
        const story = 'two puts of one name at the same time';
        for (const outcome of await Promise.allSettled([driver.put(place, one), second.put(place, two)])) {
          const but = outcome.status === 'rejected' ? `one rejected with ${outcome.reason}` : '';
          expectThat(outcome.status === 'fulfilled', story, 'both to succeed', but);
        }
        await expectOneOf(driver, place, entries, `${story}, then get`, false);
      }
    },
  },
  {
    id: 'refused-put-keeps-old',
    statement: 'a put that is refused for its metadata leaves the old entry as it was',
    reason: 'A failed store must not lose the entry that is there.',
    source: 'CacheDriver.put: when it rejects, either the old or the new entry is there',
    async prove({ driver, name }) {
      const entry = sampleEntry(name('old'));
      await driver.put(entry.metadata.name, entry);
      const refused = sampleEntry(entry.metadata.name, sampleBody(10), { contentType: 'text/plain' });
      await Promise.allSettled([driver.put(entry.metadata.name, refused)]);
      await expectEntry(driver, entry.metadata.name, entry, 'put, a refused put, then get');
    },
  },
  {
    id: 'aborted-put',
    statement:
      'a put that is aborted at any moment leaves the old or the new entry, whole, and the name usable',
    reason: 'Deadlines and stopping processes abort puts halfway through the body.',
    source: 'CacheDriver.put: when it rejects, either the old or the new entry is there',
    async prove({ driver, can, sizeUpTo, name }) {
      const places: string[] = [];
      for (const [index, moment] of ABORT_MOMENTS.entries()) {
        // The one that was told to stop may still reach the store, so that each moment has a name of its own.
        const place = name(`aborted-${index}`);
        const [old, young, next] = [0, 1, 2].map((version) =>
          versionedEntry(place, version, sizeUpTo(MEGABYTE + version)),
        ) as [CacheEntry, CacheEntry, CacheEntry];
        await driver.put(place, old);
        const story = `put, a put aborted ${moment.title}, then get`;
        const { status } = await abortedAt(moment, (signal) => driver.put(place, young, { signal }));
        const aborted = status === 'rejected';
        await expectOneOf(driver, place, aborted ? [old, young] : [young], story, false);
        await driver.put(place, next);
        await expectOneOf(driver, place, aborted ? [next, young] : [next], `${story}, put and get`, false);
        places.push(place);
      }
      if (!can.list) return;
      await expectList(driver, name(''), places, 'puts, some of them aborted, then list');
    },
  },
  {
    id: 'killed-put',
    needs: ['shared', 'module'],
    statement:
      'after a process is killed during a put there is the old entry, the new one or none, and the name is usable',
    reason: 'Containers are killed without warning when memory runs out.',
    source: 'CacheDriver.put: and so after a crash',
    async prove({ driver, open, can, processDoor, sizeUpTo, name }) {
      const place = name('killed');
      const size = sizeUpTo(KILLED_BODY_BYTES);
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const story = `process killed during a put, time ${kill}, then get`;
        await killWhilePutting({ ...processDoor, name: place, size }, kill);
        for (const reader of [driver, open()]) {
          const found = await readOrFail(reader, place, story);
          if (found === undefined) continue;
          const { created } = found.metadata;
          expectBody(found.body, versionedEntry(place, created, size).body, story);
        }
        const next = versionedEntry(place, 0, 1000);
        await driver.put(place, next);
        await expectEntry(driver, place, next, `process killed during a put, time ${kill}, then put and get`);
      }
      if (!can.list) return;
      await expectList(driver, name(''), [place], 'processes killed during puts of one name, then list');
    },
  },
]);

function putInTurn(
  driver: CacheDriver,
  name: string,
  versions: readonly CacheEntry[],
  turn: number,
): Promise<void> {
  const entry = versions[turn % versions.length];
  return entry === undefined ? Promise.resolve() : driver.put(name, entry);
}

async function readOrFail(
  driver: CacheDriver,
  name: string,
  story: string,
): Promise<Awaited<ReturnType<typeof readLikeCore>>> {
  const [outcome] = await Promise.allSettled([readLikeCore(driver, name)]);
  if (outcome.status === 'fulfilled') return outcome.value;
  const failure = describeFailure(outcome.reason);
  return assert.fail(`${story}: expected a whole entry or a miss, but it was ${failure}`);
}

async function expectOneOf(
  driver: CacheDriver,
  name: string,
  entries: readonly CacheEntry[],
  story: string,
  missAllowed: boolean,
): Promise<void> {
  const found = await readOrFail(driver, name, story);
  if (found === undefined) {
    expectThat(missAllowed, story, 'the old or the new entry', 'it was a miss');
    return;
  }
  const same = entries.find(({ metadata }) => isDeepStrictEqual({ ...metadata }, { ...found.metadata }));
  if (same === undefined) {
    const but = `it was ${JSON.stringify(found.metadata)}`;
    expectThat(false, story, 'the metadata of a version that was put', but);
  } else {
    expectBody(found.body, same.body, story);
  }
}
