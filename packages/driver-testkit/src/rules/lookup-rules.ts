import { rulesOf } from '../contract-rule.js';
import {
  expectBody,
  expectEntry,
  expectHit,
  expectList,
  expectMetadata,
  expectMiss,
  expectRejection,
  expectThat,
} from '../expectations.js';
import { sampleBody, sampleEntry, versionedEntry } from '../sample-entries.js';

// More than S3, GCS and Azure list in one page or delete in one call.
const SEVERAL_PAGES = 1100;
const MANY_NAMES = 250;
const BATCH = 50;

/** Results of put, get, delete and list. */
export const lookupRules = rulesOf('results', [
  {
    id: 'miss',
    statement: 'a name that was never put is a miss, even where longer names begin with it',
    reason: 'A wrong hit serves the wrong picture; a failure instead of a miss is reported as an outage.',
    source: 'CacheDriver.get; names are opaque',
    async prove({ driver, name }) {
      await expectMiss(driver, name('never-put'), 'get of a name that was never put');
      await driver.put(name('a/b/c.x'), sampleEntry(name('a/b/c.x')));
      for (const neighbour of ['a', 'a/b', 'a/b/c', 'a/b/c.x.y', 'a/b/c.x/d', 'b/c.x']) {
        await expectMiss(driver, name(neighbour), `get of ${neighbour} where only a/b/c.x was put`);
      }
    },
  },
  {
    id: 'hit',
    statement: 'an entry that was put is found by every get, with its own content type and bytes',
    reason: 'This is the purpose of a cache.',
    source: 'CacheDriver.get, CacheDriver.put',
    async prove({ driver, name }) {
      for (const contentType of ['image/webp', 'image/avif', 'image/svg+xml', 'image/vnd.microsoft.icon']) {
        const entry = sampleEntry(name(contentType), sampleBody(5000), { contentType });
        await driver.put(entry.metadata.name, entry);
        for (const time of ['first', 'second', 'third']) {
          await expectEntry(
            driver,
            entry.metadata.name,
            entry,
            `put of ${contentType}, then the ${time} get`,
          );
        }
      }
    },
  },
  {
    id: 'overwrite',
    statement: 'the latest put of a name wins, whether its body is larger or smaller than the previous one',
    reason: 'A new body with the old tail or the old metadata is a broken picture.',
    source: 'CacheDriver.put',
    async prove({ driver, sizeUpTo, name }) {
      const place = name('overwritten');
      for (const [version, size] of [2000, 10, sizeUpTo(300_000), 0, 2000].entries()) {
        const entry = versionedEntry(place, version, size);
        await driver.put(place, entry);
        await expectEntry(driver, place, entry, `overwrite number ${version} with ${size} bytes, then get`);
      }
    },
  },
  {
    id: 'delete',
    needs: ['delete'],
    statement: 'a deleted entry is a miss, other entries stay, and its name can be put again',
    reason: 'Operators rely on a purge to remove the picture.',
    source: 'CacheDriver.delete',
    async prove({ driver, name }) {
      const kept = sampleEntry(name('a/kept'));
      const removed = sampleEntry(name('a/removed'));
      await driver.put(kept.metadata.name, kept);
      await driver.put(removed.metadata.name, removed);
      await driver.delete([removed.metadata.name]);
      await expectMiss(driver, removed.metadata.name, 'put, delete, then get');
      await expectEntry(driver, kept.metadata.name, kept, 'delete of its neighbour, then get');
      await driver.put(removed.metadata.name, removed);
      await expectEntry(driver, removed.metadata.name, removed, 'put, delete, put, then get');
    },
  },
  {
    id: 'delete-many',
    needs: ['delete'],
    statement: 'one call deletes any number of entries and no others; repeated and absent names are allowed',
    reason:
      'Core deletes the variants of a source in large batches; the driver splits them as its store requires.',
    source: 'CacheDriver.delete',
    async prove({ driver, name }) {
      const names = Array.from({ length: MANY_NAMES }, (_, index) => name(`many/${index}`));
      await inBatches(names, (each) => driver.put(each, sampleEntry(each, sampleBody(10))));
      const kept = names.filter((_, index) => index % 50 === 0);
      const doomed = names.filter((each) => !kept.includes(each));
      await driver.delete([...doomed, name('many/absent'), ...doomed.slice(0, 3)]);
      await inBatches(doomed, (each) =>
        expectMiss(driver, each, `delete of ${doomed.length} names, then get`),
      );
      for (const each of kept) (await expectHit(driver, each, 'delete of others, then get')).discard();
    },
  },
  {
    id: 'delete-absent',
    needs: ['delete'],
    statement: 'deleting an absent name succeeds, and so does deleting no names',
    reason: 'Two processes may purge the same source; the second finds nothing to delete.',
    source: 'CacheDriver.delete: one that does not exist is removed',
    async prove({ driver, name }) {
      const deletions = {
        'no names': [],
        'an absent name': [name('absent')],
        'the same again': [name('absent')],
      };
      for (const [title, names] of Object.entries(deletions)) {
        const [outcome] = await Promise.allSettled([driver.delete(names)]);
        const but = outcome.status === 'rejected' ? `it rejected with ${outcome.reason}` : '';
        expectThat(outcome.status === 'fulfilled', `delete of ${title}`, 'success', but);
      }
    },
  },
  {
    id: 'list-by-prefix',
    needs: ['list'],
    statement: 'list yields exactly the names that begin with a prefix, which need not end at a "/"',
    reason: 'purgeSource lists "<prefix>/v1/ab/cd/<source>-", which is not a whole folder.',
    source: 'CacheDriver.list: a string, not only a folder',
    async prove({ driver, name }) {
      const tails = ['ab', 'abc', 'ab-1/x', 'ab-1/y', 'ab-2', 'aXb', 'b', 'x/ab'];
      for (const tail of tails) await driver.put(name(tail), sampleEntry(name(tail)));
      for (const prefix of ['ab', 'ab-', 'ab-1/', 'ab-1/x', 'a', '', 'x/', 'ab-2']) {
        const expected = tails.filter((tail) => tail.startsWith(prefix)).map(name);
        await expectList(driver, name(prefix), expected, `list of the prefix "…${prefix}"`);
      }
    },
  },
  {
    id: 'list-literal',
    needs: ['list'],
    statement: 'a prefix is literal text: "*", "?", "[", "]", "_" and "%" are no wildcards, and case matters',
    reason: 'A prefix that is used as a glob or a LIKE pattern lists, and purges, unrelated pictures.',
    source: 'CacheDriver.list: taken literally; SCAN MATCH of Redis; LIKE of SQL',
    async prove({ driver, name }) {
      const tails = ['p*q', 'pXq', 'p?q', 'p[X]q', 'p_q', 'p%q', 'p\\*q'].map((tail) => `${tail}/1`);
      for (const tail of tails) await driver.put(name(tail), sampleEntry(name(tail)));
      const wanted = ['p*', 'p*q/', '*', 'p?', 'p[', 'p[X]q', '[p]', 'p_', '_', 'p%', '%', 'p\\', 'px', 'pX'];
      for (const prefix of wanted) {
        const expected = tails.filter((tail) => tail.startsWith(prefix)).map(name);
        await expectList(driver, name(prefix), expected, `list of the prefix "…${prefix}"`);
      }
    },
  },
  {
    id: 'list-many',
    needs: ['list'],
    statement: 'list yields each of many names exactly once, however many pages they fill',
    reason:
      'Stores answer in pages of 1,000 or 5,000 names; a driver that stops after one leaves variants behind.',
    source: 'CacheDriver.list: all names',
    async prove({ driver, name }) {
      const names = Array.from({ length: SEVERAL_PAGES }, (_, index) => name(`${index % 7}/${index}`));
      await inBatches(names, (each) => driver.put(each, sampleEntry(each, sampleBody(1))));
      await expectList(driver, name(''), names, `${SEVERAL_PAGES} puts, then list`);
    },
  },
  {
    id: 'list-nothing',
    needs: ['list'],
    statement: 'list of a prefix without names ends at once, without an error',
    reason: 'Purging a source that was never cached is not an error.',
    source: 'CacheDriver.list',
    async prove({ driver, name }) {
      await driver.put(name('a/b'), sampleEntry(name('a/b')));
      for (const prefix of ['nothing', 'nothing/', 'a/b/c', 'a/bc']) {
        await expectList(driver, name(prefix), [], `list of the prefix "…${prefix}", which nothing has`);
      }
    },
  },
  {
    id: 'list-foreign',
    needs: ['list', 'foreign'],
    statement:
      "a stranger's objects keep list from none of the cache's own names, and what it gives are names",
    reason: 'Buckets and folders also hold backups, .DS_Store files and marker objects.',
    source: 'CacheDriver: what a name is; derivative-cache expiry in a shared bucket, cantaloupe#532',
    async prove({ driver, doors, name }) {
      const names = ['a/1', 'a/2', 'a/b/3'].map(name);
      for (const each of names) await driver.put(each, sampleEntry(each));
      for (const foreign of ['a/.DS_Store', 'a/b/Übersicht 1.txt', 'a/b/3.bak']) {
        await doors.foreign(name(foreign));
      }
      const all: string[] = [];
      for await (const each of driver.list(name('a/'))) all.push(each);
      const lacking = names.filter((each) => !all.includes(each));
      expectThat(lacking.length === 0, 'list among foreign objects', 'all own names', `it lacks ${lacking}`);
      const unusable = all.filter((each) => !/^[\x20-\x7e]+$/.test(each));
      expectThat(unusable.length === 0, 'list among foreign objects', 'names only', `it gave ${unusable}`);
    },
  },
  {
    id: 'foreign-is-no-hit',
    needs: ['foreign'],
    statement: "a foreign object under an entry's name is not a hit, and a put replaces it",
    reason: 'Otherwise anyone with write access to the bucket could choose what the service shows.',
    source: 'decodeMetadata: values are validated on reading, since others may write to the store',
    async prove({ driver, doors, name }) {
      const place = name('taken');
      await doors.foreign(place);
      const [outcome] = await Promise.allSettled([driver.get(place)]);
      if (outcome.status === 'fulfilled') {
        await outcome.value?.discard();
        const but = 'it was a hit';
        expectThat(outcome.value === undefined, 'get of a foreign object', 'a CacheError or a miss', but);
      } else {
        const story = 'get of a foreign object';
        await expectRejection(() => driver.get(place), story, 'ERR_CACHE_CORRUPT', 'ERR_CACHE_UNSUPPORTED');
      }
      const entry = sampleEntry(place);
      await driver.put(place, entry);
      await expectEntry(driver, place, entry, 'put over a foreign object, then get');
    },
  },
  {
    id: 'seen-by-others',
    needs: ['shared'],
    statement:
      'an entry that one driver has put is found by another on the same store, also after the first is closed',
    reason: 'The processes of a service share the cache, and are restarted.',
    source: 'DriverCapabilities.shared',
    async prove({ driver, open, name }) {
      const entry = sampleEntry(name('shared'));
      const other = open();
      await expectMiss(other, entry.metadata.name, 'get by another driver before any put');
      await driver.put(entry.metadata.name, entry);
      await expectEntry(other, entry.metadata.name, entry, 'put by one driver, then get by another');
      await driver.close();
      await expectEntry(
        open(),
        entry.metadata.name,
        entry,
        'put and close by one driver, then get by a third',
      );
    },
  },
  {
    id: 'own-name-kept',
    statement: 'an entry has the name in its stored metadata, not the requested one',
    reason: 'The stored name shows whether an entry was copied from another place.',
    source: 'EntryMetadata.name: one that was copied elsewhere is not served',
    async prove({ driver, name }) {
      const entry = sampleEntry(name('original'));
      const [outcome] = await Promise.allSettled([driver.put(name('copy'), entry)]);
      // A driver that refuses such an entry keeps the promise as well.
      if (outcome.status === 'rejected') return;
      const found = await expectHit(driver, name('copy'), 'put of an entry under another name, then get');
      expectMetadata(found.metadata, entry.metadata, 'put of an entry under another name, then get');
      expectBody(await found.bytes(), entry.body, 'put of an entry under another name, then get');
    },
  },
]);

async function inBatches<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  for (let first = 0; first < items.length; first += BATCH) {
    await Promise.all(items.slice(first, first + BATCH).map(work));
  }
}
