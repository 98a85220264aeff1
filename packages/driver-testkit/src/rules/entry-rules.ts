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

/** Which bodies, metadata and names an entry may have, and come back with. */
export const entryRules = rulesOf('results', [
  {
    id: 'sizes',
    statement:
      'bodies of 0 bytes, 1 byte and around every likely buffer size up to 1 MiB come back as they were',
    reason:
      'An empty body is a value like any other, and one byte beside a power of two is where buffers end.',
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
    reason: 'Core serves ETag, Last-Modified and Cache-Control from it and decides by it what has expired.',
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
    reason: 'An empty ETag is sent to clients and matches others; an expiry of 0 is in the past.',
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
    statement: 'odd values come back exactly: any Unicode, outer blanks, quotes, "%", "," and "--"',
    reason: 'They come from the headers of strangers; headers of stores take ASCII alone and trim it.',
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
    reason:
      'The limits were chosen so that every known store can keep them; a store that cannot would cut tags.',
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
    statement: 'what is not a field of the metadata is not stored, whatever the object holds besides',
    reason: "A Set-Cookie of the source, stored with a picture, is one user's session in everybody's hands.",
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
    reason: 'A field that is cut or changed silently is found out when it is too late.',
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
    statement: 'every character that a name may have keeps names apart, in get and in list',
    reason:
      'Prefixes are the operators\' choice; "%2F", "?" or a blank that a URL swallows merges two entries.',
    source: 'CacheDriver: 1 to 256 printable ASCII characters in segments of at most 200',
    async prove({ driver, capabilities, name }) {
      const names = ODD_SEGMENTS.map((segment) => name(`odd/${segment}`));
      const entries = names.map((each, index) => sampleEntry(each, sampleBody(10, index)));
      for (const entry of entries) await driver.put(entry.metadata.name, entry);
      for (const entry of entries) {
        const story = `put under ${JSON.stringify(entry.metadata.name)}, then get`;
        await expectEntry(driver, entry.metadata.name, entry, story);
      }
      if (capabilities.limitations?.list !== undefined) return;
      await expectList(driver, name(''), names, 'puts under odd names, then list');
    },
  },
  {
    id: 'long-names',
    statement: 'two names of 256 characters, or of a segment of 200, that differ in the last are two entries',
    reason: 'A store that cuts names off gives one picture out for another, and a file system may take 255.',
    source: 'CacheDriver: every character of a name counts, the 256th included',
    async prove({ driver, capabilities, name }) {
      const stems = [`${name('')}${'n'.repeat(100)}/`.padEnd(255, 'n'), name('s'.repeat(199))];
      const names = stems.flatMap((stem) => [`${stem}0`, `${stem}1`]);
      const entries = names.map((each, index) => sampleEntry(each, sampleBody(10, index)));
      for (const entry of entries) await driver.put(entry.metadata.name, entry);
      for (const entry of entries) {
        const story = `puts under names of ${entry.metadata.name.length} characters, then get`;
        await expectEntry(driver, entry.metadata.name, entry, story);
      }
      if (capabilities.limitations?.list !== undefined) return;
      await expectList(driver, name(''), names, 'puts under long names, then list');
    },
  },
  {
    id: 'no-names',
    statement: 'what is not a name is refused by put with ERR_CACHE_UNSUPPORTED and is never a hit',
    reason: 'A name with ".." that reaches a file system leaves the cache; an empty one may be everything.',
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
