import { isCacheError, type StoredEntry } from '@imgproxy-cache/core/driver';
import { bufferBytesInUse } from '../buffer-memory.js';
import { rulesOf } from '../contract-rule.js';
import {
  collect,
  expectBody,
  expectEntry,
  expectHit,
  expectMetadata,
  expectMiss,
  expectRejection,
  expectThat,
} from '../expectations.js';
import { leakOf } from '../held-resources.js';
import { MEGABYTE, sampleBody, sampleEntry } from '../sample-entries.js';

const REPETITIONS = 40;
// Large enough that a driver keeps it open instead of in memory.
const OPEN_BODY_BYTES = 2 * MEGABYTE;
// More than the buffers of a connection take in.
const SLOW_BODY_BYTES = 32 * MEGABYTE;
const READ_AHEAD_BYTES = 12 * MEGABYTE;

/** The ways in which a body is consumed, and the ways out of it. */
const CONSUMPTIONS: Readonly<Record<string, (entry: StoredEntry) => PromiseLike<unknown>>> = {
  bytes: (entry) => entry.bytes(),
  stream: async (entry) => collect(entry.stream()),
  discard: (entry) => entry.discard(),
};

/** How a body is put, read, given up, and read no second time. */
export const bodyRules = rulesOf('bodies', [
  {
    id: 'stream',
    statement: 'the chunks of a stream make up the body, of any size, 0 bytes included',
    reason: 'Large entries are only served as streams.',
    source: 'StoredEntry.stream',
    async prove({ driver, sizeUpTo, name }) {
      for (const size of [0, 1, 70_000, MEGABYTE, 3 * MEGABYTE].map(sizeUpTo)) {
        const entry = sampleEntry(name(`${size}-bytes`), sampleBody(size));
        const story = `put of ${size} bytes, then get as a stream`;
        await driver.put(entry.metadata.name, entry);
        const found = await expectHit(driver, entry.metadata.name, story);
        expectBody(Buffer.concat(await collect(found.stream())), entry.body, story);
      }
    },
  },
  {
    id: 'chunks-kept',
    statement: 'a chunk keeps its bytes while later chunks are read',
    reason: 'Core holds the last chunk back until the checksum passes, and sockets buffer more.',
    source: 'streamVerified; StoredEntry.stream',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('chunks'), sampleBody(sizeUpTo(3 * MEGABYTE)));
      await driver.put(entry.metadata.name, entry);
      const found = await expectHit(driver, entry.metadata.name, 'put, then get');
      let offset = 0;
      let held: Uint8Array = Buffer.alloc(0);
      for await (const chunk of found.stream()) {
        const expected = entry.body.subarray(offset - held.length, offset);
        expectBody(held, expected, 'a chunk of a stream, once the next one was read');
        held = chunk;
        offset += chunk.length;
      }
    },
  },
  {
    id: 'consumed-once',
    statement:
      'a second consumption fails with ERR_CACHE_DRIVER_CONTRACT, however the body was consumed before',
    reason: 'The socket or file is released; an empty second body would look like a picture.',
    source: 'StoredEntry: consumed once, by bytes, stream or discard',
    async prove({ driver, sizeUpTo, name }) {
      for (const size of [10, sizeUpTo(OPEN_BODY_BYTES)]) {
        const entry = sampleEntry(name(`${size}-bytes`), sampleBody(size));
        await driver.put(entry.metadata.name, entry);
        for (const [first, consume] of Object.entries(CONSUMPTIONS)) {
          for (const second of ['bytes', 'stream'] as const) {
            const story = `${first}, then ${second} of a body of ${size} bytes`;
            const found = await expectHit(driver, entry.metadata.name, story);
            await consume(found);
            const again = async (): Promise<unknown> => CONSUMPTIONS[second]?.(found);
            await expectRejection(again, story, 'ERR_CACHE_DRIVER_CONTRACT');
          }
        }
      }
    },
  },
  {
    id: 'discard-harmless',
    statement: 'discard and disposal succeed at any time: twice, after reading and while reading',
    reason: 'Clean-up code does not know how far the reader got.',
    source: 'StoredEntry.discard: idempotent; harmless once the body has been read; breaks off a reading',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('given-up'), sampleBody(sizeUpTo(OPEN_BODY_BYTES)));
      await driver.put(entry.metadata.name, entry);
      for (const [title, consume] of Object.entries(CONSUMPTIONS)) {
        const found = await expectHit(driver, entry.metadata.name, `${title}, then discard`);
        await consume(found);
        await succeeds(() => found.discard(), `${title}, then discard`);
        await succeeds(() => found[Symbol.asyncDispose](), `${title}, discard, then disposal`);
      }
      const found = await expectHit(driver, entry.metadata.name, 'discard while bytes are read');
      const reading = Promise.allSettled([found.bytes()]);
      await succeeds(() => found.discard(), 'discard while bytes are read');
      await reading;
      await expectEntry(driver, entry.metadata.name, entry, 'discard while bytes are read, then get again');
    },
  },
  {
    id: 'given-up-not-whole',
    statement: 'a stream whose entry is discarded before its end fails and does not end cleanly',
    reason: 'A truncated picture that ends cleanly is cached by every proxy and browser.',
    source: 'StoredEntry.discard: breaks off a reading that is under way',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('given-up'), sampleBody(sizeUpTo(OPEN_BODY_BYTES)));
      await driver.put(entry.metadata.name, entry);
      const found = await expectHit(driver, entry.metadata.name, 'put, then get');
      const read = async (): Promise<void> => {
        let length = 0;
        for await (const chunk of found.stream()) {
          length += chunk.length;
          if (length === chunk.length) await found.discard();
        }
        const but = `it ended after ${length} bytes of ${entry.body.length}`;
        expectThat(length === entry.body.length, 'a stream, discarded in its midst', 'a failure', but);
      };
      const [outcome] = await Promise.allSettled([read()]);
      if (outcome.status === 'rejected' && !isCacheError(outcome.reason)) throw outcome.reason;
    },
  },
  {
    id: 'unread-released',
    statement: 'an entry that is not read releases everything when it is disposed of',
    reason: 'Fifty unread bodies use up the sockets of a pool, and every later look-up waits for ever.',
    source: 'StoredEntry: await using; aws-sdk-js-v3#6691',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('unread'), sampleBody(sizeUpTo(OPEN_BODY_BYTES)));
      await driver.put(entry.metadata.name, entry);
      const leak = await leakOf(async () => {
        for (let time = 0; time < REPETITIONS; time += 1) {
          await using _unread = await expectHit(driver, entry.metadata.name, `unread get number ${time + 1}`);
        }
      });
      expectThat(
        leak === undefined,
        `${REPETITIONS} entries disposed of unread`,
        'nothing held',
        `it is ${leak}`,
      );
    },
  },
  {
    id: 'half-read-released',
    statement: 'a stream that is left before its end releases everything',
    reason: 'Many clients disconnect before the end of a picture.',
    source: 'StoredEntry.stream: returning early releases everything',
    async prove({ driver, sizeUpTo, name }) {
      const entry = sampleEntry(name('half-read'), sampleBody(sizeUpTo(OPEN_BODY_BYTES)));
      await driver.put(entry.metadata.name, entry);
      const leak = await leakOf(async () => {
        for (let time = 0; time < REPETITIONS; time += 1) {
          const found = await expectHit(driver, entry.metadata.name, `half-read get number ${time + 1}`);
          for await (const _chunk of found.stream()) break;
        }
      });
      expectThat(leak === undefined, `${REPETITIONS} streams left early`, 'nothing held', `it is ${leak}`);
    },
  },
  {
    id: 'slow-reader',
    statement: 'a stream reads no faster than its chunks are consumed',
    reason: 'Otherwise sixty slow clients of large pictures fill the memory.',
    source: 'StoredEntry.stream: read only as fast as they are taken',
    async prove({ driver, sizeUpTo, name }) {
      const size = sizeUpTo(SLOW_BODY_BYTES);
      const entry = sampleEntry(name('slow'), sampleBody(size));
      await driver.put(entry.metadata.name, entry);
      const before = await bufferBytesInUse();
      const found = await expectHit(driver, entry.metadata.name, 'get by a slow reader');
      const chunks: Uint8Array[] = [];
      for await (const chunk of found.stream()) {
        chunks.push(chunk);
        if (chunks.length > 1) continue;
        // A driver that reads ahead has the time to do it while this waits for the figure to stand still.
        const ahead = (await bufferBytesInUse()) - before - chunk.length;
        const but = `${ahead} bytes of ${size} are in memory`;
        expectThat(ahead < READ_AHEAD_BYTES, 'the first chunk and a pause', 'the rest not yet read', but);
      }
      expectBody(Buffer.concat(chunks), entry.body, 'a slow reader');
    },
  },
  {
    id: 'metadata-first',
    statement: 'get of a large entry resolves with its metadata before the body has been read',
    reason: 'A look-up has a short deadline; reading 32 MiB within it would turn a hit into a timeout.',
    source: 'CacheDriver.get: a large body is not yet read',
    async prove({ driver, sizeUpTo, name }) {
      const size = sizeUpTo(SLOW_BODY_BYTES);
      const entry = sampleEntry(name('large'), sampleBody(size));
      await driver.put(entry.metadata.name, entry);
      const before = await bufferBytesInUse();
      const found = await expectHit(driver, entry.metadata.name, 'put, then get');
      const read = (await bufferBytesInUse()) - before;
      expectMetadata(found.metadata, entry.metadata, 'put, then get');
      await found.discard();
      const but = `${read} bytes of ${size} are in memory`;
      expectThat(read < READ_AHEAD_BYTES, 'get of a large entry', 'the body not yet read', but);
    },
  },
  {
    id: 'own-copy',
    statement: 'changes to the bytes and metadata after put have no effect on the entry',
    reason: 'Renderers reuse their buffers.',
    source: 'CacheDriver.put',
    async prove({ driver, name }) {
      const entry = sampleEntry(name('reused'), sampleBody(5000), { tags: ['tag'] });
      const body = Buffer.from(entry.body);
      const metadata = { ...entry.metadata, tags: ['tag'] };
      await driver.put(entry.metadata.name, { metadata, body });
      body.fill(0);
      metadata.tags.push('later');
      metadata.created = 0;
      await expectEntry(driver, entry.metadata.name, entry, 'put, then other use of its buffer, then get');
    },
  },
  {
    id: 'view',
    statement: 'where the bytes are a view into a larger buffer, exactly the view is stored',
    reason: 'Small buffers of Node.js are views into a pool, which also holds unrelated data.',
    source: 'CacheEntry.body; Buffer.poolSize',
    async prove({ driver, name }) {
      const pool = sampleBody(10_000);
      const entry = sampleEntry(name('view'), new Uint8Array(pool.buffer, pool.byteOffset + 1001, 777));
      await driver.put(entry.metadata.name, entry);
      await expectEntry(driver, entry.metadata.name, entry, 'put of a view into a larger buffer, then get');
      await expectMiss(driver, name('other'), 'get of another name');
    },
  },
]);

async function succeeds(operation: () => PromiseLike<void>, story: string): Promise<void> {
  const [outcome] = await Promise.allSettled([operation()]);
  const but = outcome.status === 'rejected' ? `it rejected with ${outcome.reason}` : '';
  expectThat(outcome.status === 'fulfilled', story, 'success', but);
}
