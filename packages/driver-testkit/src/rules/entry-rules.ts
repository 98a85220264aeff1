import assert from 'node:assert/strict';
import {
  type EntryMetadata,
  encodeMetadata,
  isCacheError,
  MAX_FIELD_BYTES,
  MAX_METADATA_BYTES,
} from '@imgproxy-cache/core/driver';
import { rulesOf } from '../contract-rule.js';
import {
  describeFailure,
  expectBody,
  expectEntry,
  expectHit,
  expectList,
  expectMiss,
  expectRejection,
  expectThat,
} from '../expectations.js';
import type { RuleBench } from '../rule-bench.js';
import { MEGABYTE, sampleBody, sampleEntry } from '../sample-entries.js';

const LARGEST_INTEGER = Number.MAX_SAFE_INTEGER;

const DIMENSIONS = {
  originWidth: 4000,
  originHeight: 3000,
  originBytes: 5_123_456,
  resultWidth: 300,
  resultHeight: 225,
};

const ODD_TEXTS = {
  etag: 'W/"a--b, c=\'d\' 100%"',
  lastModified: ' Tue, 24 Nov 2026 00:00:00 GMT ',
  cacheControl: 'max-age=60, x="größer 画像 🖼 \\ %41"',
  tags: ['a,b', ' outer blanks ', '100%', '-->', '<!--', '\u{1F5BC}', '__proto__', 'caf\u0065\u0301'],
};

const ODD_SEGMENTS = [
  'a b',
  'a%2Fb',
  'a%20b',
  'a+b',
  'a?b=c&d',
  'a#b',
  "a'b",
  'a"b',
  'a\\b',
  'a:b*c|d',
  '<a>',
  '~a',
  '-a',
  '.a',
  '...',
  'a=b;c,d',
  '@a',
  '{a}',
  '[a]^`$!()',
  'x'.repeat(200),
];

/** Bodies, metadata and names of entries. */
export const entryRules = rulesOf('results', [
  {
    id: 'sizes',
    statement:
      'bodies of 0 bytes, 1 byte and around every likely buffer size up to 1 MiB come back unchanged',
    reason: 'Empty bodies are valid, and off-by-one errors show one byte beside a power of two.',
    source: 'CacheEntry.body',
    async prove({ driver, sizeUpTo, name }) {
      for (const size of [0, 1, 4095, 65_536, 65_537, MEGABYTE - 1, MEGABYTE, MEGABYTE + 1].map(sizeUpTo)) {
        const entry = sampleEntry(name(`${size}-bytes`), sampleBody(size));
        await driver.put(entry.metadata.name, entry);
        await expectEntry(driver, entry.metadata.name, entry, `put of ${size} bytes, then get`);
      }
    },
  },
  {
    id: 'largest-body',
    statement:
      'a body of 32 MiB comes back, or one as large as the driver declares, past which it is refused',
    reason: 'Core stores up to 32 MiB by default, and skips without an error what is ERR_CACHE_TOO_LARGE.',
    source: 'IMGPROXY_CACHE_MAX_ENTRY_SIZE; DriverCapabilities.maxEntryBytes',
    async prove({ driver, capabilities: { maxEntryBytes }, sizeUpTo, name }) {
      const size = sizeUpTo(32 * MEGABYTE);
      const entry = sampleEntry(name('largest'), sampleBody(size));
      await driver.put(entry.metadata.name, entry);
      await expectEntry(driver, entry.metadata.name, entry, `put of ${size} bytes, then get`);
      if (maxEntryBytes === undefined) return;
      const larger = sampleEntry(name('too-large'), sampleBody(maxEntryBytes + 1));
      const story = `put of ${maxEntryBytes + 1} bytes, one more than declared`;
      await expectRejection(() => driver.put(larger.metadata.name, larger), story, 'ERR_CACHE_TOO_LARGE');
      await expectMiss(driver, larger.metadata.name, `${story}, refused, then get`);
    },
  },
  {
    id: 'metadata-whole',
    statement: 'every field of the metadata comes back as it was put',
    reason: 'Core serves ETag, Last-Modified and Cache-Control from it, and it says when an entry expires.',
    source: 'EntryMetadata',
    async prove({ driver, name }) {
      await expectRoundTrip(driver, 'all fields', name('whole'), {
        expires: 1_800_000_000_000,
        etag: '"33a64df5"',
        lastModified: 'Tue, 24 Nov 2026 00:00:00 GMT',
        cacheControl: 'public, max-age=31536000',
        tags: ['product', 'summer-sale', 'b', 'a'],
        dimensions: DIMENSIONS,
      });
      await expectRoundTrip(driver, 'some dimensions', name('some'), { dimensions: { resultWidth: 0 } });
    },
  },
  {
    id: 'metadata-absent',
    statement:
      'a field that was not put is absent when it comes back, and so is an empty text or list of tags',
    reason: 'An empty ETag matches other empty ones, and an expiry of 0 is in the past.',
    source: 'EntryMetadata; encodeMetadata leaves empty values out',
    async prove({ driver, name }) {
      await expectRoundTrip(driver, 'no optional field', name('minimal'), {});
      const empty = { etag: '', lastModified: '', cacheControl: '', tags: [], dimensions: {} };
      const entry = sampleEntry(name('empty'), sampleBody(10), empty);
      await driver.put(entry.metadata.name, entry);
      const found = await expectHit(driver, entry.metadata.name, 'put of empty optional fields, then get');
      await found.discard();
      const present = Object.keys(empty).filter((field) => field in found.metadata);
      expectThat(
        present.length === 0,
        'put of empty optional fields, then get',
        'none',
        `there is ${present}`,
      );
    },
  },
  {
    id: 'metadata-odd',
    statement: 'unusual values come back unchanged: any Unicode, outer blanks, quotes, "%", "," and "--"',
    reason: 'They come from headers of foreign servers; stores often take trimmed ASCII only.',
    source: 'encodeMetadata; RFC 9110, section 5.5',
    async prove({ driver, name }) {
      for (const [field, value] of Object.entries(ODD_TEXTS)) {
        await expectRoundTrip(driver, `odd ${field}`, name(field), { [field]: value });
      }
      await expectRoundTrip(driver, 'the largest integers', name('integers'), {
        created: LARGEST_INTEGER,
        expires: LARGEST_INTEGER,
        dimensions: { originBytes: LARGEST_INTEGER },
      });
      await expectRoundTrip(driver, 'the smallest integers', name('zero'), { created: 0, expires: 0 });
    },
  },
  {
    id: 'metadata-limits',
    statement: `metadata at its limits, ${MAX_FIELD_BYTES} bytes a value and ${MAX_METADATA_BYTES} together, comes back whole`,
    reason: 'The limits fit every known store; a driver below them would lose tags.',
    source: 'MAX_FIELD_BYTES, MAX_METADATA_BYTES',
    async prove({ driver, name }) {
      const full = 'x'.repeat(MAX_FIELD_BYTES);
      const place = `${name('')}${'n'.repeat(100)}/`.padEnd(MAX_FIELD_BYTES, 'n');
      const details = {
        ...{ etag: full, lastModified: full, cacheControl: full, tags: [full] },
        expires: 1_800_000_000_000,
        dimensions: { originWidth: LARGEST_INTEGER, originBytes: LARGEST_INTEGER },
      };
      const { metadata } = sampleEntry(place, sampleBody(10), { ...details, contentType: 'image/x' });
      const contentType = `image/x${'x'.repeat(MAX_METADATA_BYTES - encodedBytes(metadata))}`;
      await expectRoundTrip(driver, 'metadata at its limits', place, { ...details, contentType });
    },
  },
  {
    id: 'metadata-allow-list',
    statement: 'only known fields of the metadata are stored, whatever else the object holds',
    reason: "A stored Set-Cookie would give one user's session to everybody.",
    source: 'EntryMetadata: an allow-list; RFC 9111, section 7.3',
    async prove({ driver, name }) {
      const entry = sampleEntry(name('smuggled'));
      const metadata = { ...entry.metadata, setCookie: 'session=1', 'set-cookie': 'session=2' };
      await driver.put(metadata.name, { metadata, body: entry.body });
      await expectEntry(driver, metadata.name, entry, 'put with a cookie in the metadata, then get');
    },
  },
  {
    id: 'metadata-refused',
    statement: 'metadata that cannot be stored is refused with its code, and nothing is stored',
    reason: 'A field that is silently cut or changed is noticed too late.',
    source: 'encodeMetadata',
    async prove({ driver, name }) {
      const refusals = [
        ['a content type that is no image', { contentType: 'text/html' }, 'ERR_CACHE_UNSUPPORTED'],
        ['a content type with parameters', { contentType: 'image/webp; q=1' }, 'ERR_CACHE_UNSUPPORTED'],
        ['malformed Unicode', { etag: '\ud800' }, 'ERR_CACHE_UNSUPPORTED'],
        ['a line break', { cacheControl: 'a\r\nSet-Cookie: b' }, 'ERR_CACHE_UNSUPPORTED'],
        ['an empty tag', { tags: [''] }, 'ERR_CACHE_UNSUPPORTED'],
        ['a negative time', { created: -1 }, 'ERR_CACHE_UNSUPPORTED'],
        ['a long value', { etag: 'x'.repeat(MAX_FIELD_BYTES + 1) }, 'ERR_CACHE_TOO_LARGE'],
        ['too many tags', { tags: Array(40).fill('1234567') }, 'ERR_CACHE_TOO_LARGE'],
      ] as const;
      for (const [title, details, code] of refusals) {
        const entry = sampleEntry(name('refused'), sampleBody(10), details);
        await expectRejection(() => driver.put(entry.metadata.name, entry), `put with ${title}`, code);
        await expectMiss(driver, entry.metadata.name, `put with ${title}, refused, then get`);
      }
    },
  },
  {
    id: 'odd-names',
    statement: 'names that differ in any allowed character are different entries, in get and in list',
    reason:
      'Operators choose prefixes; where "%2F", "?" or a blank is lost in a URL, two entries become one.',
    source: 'CacheDriver: 1 to 256 printable ASCII characters in segments of at most 200',
    prove: (bench) =>
      expectDistinct(
        bench,
        ODD_SEGMENTS.map((segment) => bench.name(`odd/${segment}`)),
      ),
  },
  {
    id: 'long-names',
    statement:
      'names of 256 characters, or with a segment of 200, that differ in the last one are different entries',
    reason: 'A store that truncates names serves the wrong picture; a file system may allow only 255 bytes.',
    source: 'CacheDriver: every character of a name counts, the 256th included',
    async prove(bench) {
      const { name } = bench;
      const stems = [`${name('')}${'n'.repeat(100)}/`.padEnd(255, 'n'), name('s'.repeat(199))];
      await expectDistinct(
        bench,
        stems.flatMap((stem) => [`${stem}0`, `${stem}1`]),
      );
    },
  },
  {
    id: 'no-names',
    statement: 'put refuses an invalid name with ERR_CACHE_UNSUPPORTED, and get never finds one',
    reason: 'A name with ".." can leave the cache folder, and an empty one can mean the whole folder.',
    source: 'assertEntryName; CWE-22',
    async prove({ driver, name }) {
      const noNames = ['', '/', '.', '..', name('a/'), name('a//b'), name('../../escaped'), name('./a')];
      for (const each of [...noNames, `/${name('a')}`, name('ü'), name('a\0b'), name('x'.repeat(201))]) {
        const title = JSON.stringify(each.slice(0, 40));
        const put = (): Promise<void> => driver.put(each, sampleEntry(name('a')));
        await expectRejection(put, `put under ${title}`, 'ERR_CACHE_UNSUPPORTED');
        const [outcome] = await Promise.allSettled([driver.get(each)]);
        if (outcome.status === 'rejected') {
          const failure = describeFailure(outcome.reason);
          expectThat(isCacheError(outcome.reason), `get of ${title}`, 'a CacheError or a miss', failure);
        } else {
          await outcome.value?.discard();
          expectThat(
            outcome.value === undefined,
            `get of ${title}`,
            'a CacheError or a miss',
            'it was a hit',
          );
        }
      }
    },
  },
]);

/** Puts an entry under each of these names, which are all of the rule's, and expects each of them back. */
async function expectDistinct({ driver, can, name }: RuleBench, names: readonly string[]): Promise<void> {
  const entries = names.map((each, index) => sampleEntry(each, sampleBody(10, index)));
  for (const entry of entries) await driver.put(entry.metadata.name, entry);
  for (const entry of entries) {
    const story = `put under ${JSON.stringify(entry.metadata.name)}, then get`;
    await expectEntry(driver, entry.metadata.name, entry, story);
  }
  if (can.list) await expectList(driver, name(''), names, `puts under ${names.length} names, then list`);
}

function encodedBytes(metadata: EntryMetadata): number {
  return Object.entries(encodeMetadata(metadata)).flat().join('').length;
}

async function expectRoundTrip(
  driver: Parameters<typeof expectHit>[0],
  title: string,
  name: string,
  details: Partial<EntryMetadata>,
): Promise<void> {
  const entry = sampleEntry(name, sampleBody(10), details);
  await driver.put(name, entry);
  const found = await expectHit(driver, name, `put with ${title}, then get`);
  for (const field of new Set([...Object.keys(entry.metadata), ...Object.keys(found.metadata)])) {
    const [actual, expected] = [found.metadata, entry.metadata].map((metadata) =>
      JSON.stringify(metadata[field as keyof EntryMetadata]),
    );
    assert.equal(
      actual,
      expected,
      `put with ${title}: expected ${field} to be ${expected}, but it is ${actual}`,
    );
  }
  expectBody(await found.bytes(), entry.body, `put with ${title}, then get`);
}
