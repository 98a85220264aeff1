import {
  decodeMetadata,
  type EntryMetadata,
  encodeMetadata,
  type ImageDimensions,
  isCacheError,
  MAX_FIELD_BYTES,
  MAX_METADATA_BYTES,
} from '@imgproxy-cache/core/driver';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const METADATA: EntryMetadata = {
  name: 'v1/ab/cd/entry',
  contentType: 'image/webp',
  size: 1234,
  crc32: 0xdeadbeef,
  created: 1_700_000_000_000,
};

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', ' ', ',', '%', '"', '=', '\n', 'é', '😀'),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
  maxLength: 40,
});
const whole = fc.maxSafeNat();

const metadata: fc.Arbitrary<EntryMetadata> = fc.record(
  {
    name: text,
    contentType: fc.constantFrom(
      'image/webp',
      'image/svg+xml',
      'image/vnd.ms-dds',
      'text/html',
      'Image/webp',
    ),
    size: whole,
    crc32: fc.nat(0xffff_ffff),
    created: whole,
    expires: whole,
    etag: text,
    lastModified: text,
    cacheControl: text,
    tags: fc.array(text, { maxLength: 5 }),
    dimensions: fc.record(
      {
        originWidth: whole,
        originHeight: whole,
        originBytes: whole,
        resultWidth: whole,
        resultHeight: whole,
      } satisfies Record<keyof ImageDimensions, unknown>,
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['name', 'contentType', 'size', 'crc32', 'created'] },
);

/** Empty texts, lists and records say as much as absent ones. */
function withoutEmptyParts({ tags = [], dimensions = {}, ...others }: EntryMetadata): unknown {
  return {
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== '')),
    ...(tags.length > 0 && { tags }),
    ...(Object.keys(dimensions).length > 0 && { dimensions }),
  };
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isCacheError(error) ? error.code : String(error);
  }
}

describe('metadata', () => {
  it('that can be encoded is decoded to the same, and fits every store', () => {
    let encoded = 0;
    fc.assert(
      fc.property(metadata, (given) => {
        const code = codeOf(() => encodeMetadata(given));
        if (code !== undefined) {
          expect(['ERR_CACHE_UNSUPPORTED', 'ERR_CACHE_TOO_LARGE']).toContain(code);
          return;
        }
        encoded++;
        const fields = encodeMetadata(given);
        expect(decodeMetadata(fields)).toEqual(withoutEmptyParts(given));
        for (const [name, value] of Object.entries(fields)) {
          expect(name).toMatch(/^[a-z][a-z0-9]*$/);
          expect(value).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/);
        }
        expect(Object.entries(fields).flat().join('').length).toBeLessThanOrEqual(MAX_METADATA_BYTES);
      }),
      { numRuns: 1000 },
    );
    expect(encoded).toBeGreaterThan(100);
  });

  it('that somebody changed in the store is decoded or refused, and nothing else happens', () => {
    const valid = encodeMetadata({
      ...METADATA,
      expires: 5,
      etag: '"é"',
      lastModified: 'Mon, 23 Nov 2026 10:00:00 GMT',
      cacheControl: 'max-age=60',
      tags: ['a,b', 'c'],
      dimensions: { originWidth: 1, resultHeight: 2 },
    });
    const value = fc.oneof(
      text,
      fc.constantFrom(
        '',
        '%',
        '%zz',
        '%ff',
        '-1',
        '1e3',
        '0x1',
        '01',
        '1.5',
        '9007199254740993',
        ',',
        'a,,b',
        'é',
      ),
      fc.constant(undefined),
    );
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(valid), 'unknown', '__proto__'), value, {
      minKeys: 1,
      maxKeys: 4,
    });
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(changes, (changed) => {
        const fields = { ...valid, ...changed };
        const code = codeOf(() => decodeMetadata(fields));
        outcomes.add(code ?? 'decoded');
        if (code !== undefined) expect(['ERR_CACHE_CORRUPT', 'ERR_CACHE_UNSUPPORTED']).toContain(code);
        else
          expect([undefined, 'ERR_CACHE_TOO_LARGE']).toContain(
            codeOf(() => encodeMetadata(decodeMetadata(fields))),
          );
      }),
      { numRuns: 2000 },
    );
    expect(outcomes).toContain('decoded');
    expect(outcomes).toContain('ERR_CACHE_CORRUPT');
  });
});

describe('encoding', () => {
  it('keeps readable what can be, and escapes what a store could change', () => {
    expect(
      encodeMetadata({
        ...METADATA,
        expires: 5,
        etag: ' W/"é%" ',
        lastModified: 'Mon, 23 Nov 2026 10:00:00 GMT',
        tags: ['cats, dogs', 'birds'],
        dimensions: { originBytes: 7 },
      }),
    ).toEqual({
      version: '1',
      name: METADATA.name,
      type: 'image/webp',
      size: '1234',
      crc32: 'deadbeef',
      created: '1700000000000',
      expires: '5',
      etag: '%20W/"%C3%A9%25"%20',
      lastmodified: 'Mon, 23 Nov 2026 10:00:00 GMT',
      tags: 'cats%2C dogs,birds',
      originbytes: '7',
    });
  });

  it.each<[string, Partial<EntryMetadata>, string, RegExp]>([
    ['no name', { name: '' }, 'ERR_CACHE_UNSUPPORTED', /^name is empty/],
    [
      'a content type that is no image',
      { contentType: 'text/html' },
      'ERR_CACHE_UNSUPPORTED',
      /"text\/html"/,
    ],
    ['a size below zero', { size: -1 }, 'ERR_CACHE_UNSUPPORTED', /^size is -1, not a whole number/],
    ['a size that is not whole', { size: 0.5 }, 'ERR_CACHE_UNSUPPORTED', /^size is 0.5/],
    ['no size', { size: Number.NaN }, 'ERR_CACHE_UNSUPPORTED', /^size is NaN/],
    ['a moment past 2^53', { created: 2 ** 53 }, 'ERR_CACHE_UNSUPPORTED', /^created is 9007199254740992/],
    ['a checksum past 32 bits', { crc32: 2 ** 32 }, 'ERR_CACHE_UNSUPPORTED', /^crc32 is 4294967296/],
    ['a checksum below zero', { crc32: -1 }, 'ERR_CACHE_UNSUPPORTED', /^crc32 is -1/],
    ['a lone surrogate', { etag: '\ud83d' }, 'ERR_CACHE_UNSUPPORTED', /^etag is not well-formed/],
    ['an empty tag', { tags: ['a', ''] }, 'ERR_CACHE_UNSUPPORTED', /^a tag is empty/],
    [
      'a width below zero',
      { dimensions: { originWidth: -1 } },
      'ERR_CACHE_UNSUPPORTED',
      /^originWidth is -1/,
    ],
    [
      'a text too long',
      { etag: 'a'.repeat(257) },
      'ERR_CACHE_TOO_LARGE',
      /^etag takes 257 bytes encoded, at most 256/,
    ],
    [
      'a text too long once encoded',
      { etag: 'é'.repeat(43) },
      'ERR_CACHE_TOO_LARGE',
      /^etag takes 258 bytes encoded/,
    ],
    [
      'tags too long together',
      { tags: ['a'.repeat(128), 'b'.repeat(128)] },
      'ERR_CACHE_TOO_LARGE',
      /^tags takes 257/,
    ],
  ])('refuses %s', (_what, part, code, message) => {
    const encode = () => encodeMetadata({ ...METADATA, ...part });
    expect(encode).toThrow(message);
    expect(codeOf(encode)).toBe(code);
  });

  it('takes exactly what fits into a field, and into all of them', () => {
    const longest = 'a'.repeat(MAX_FIELD_BYTES);
    expect(encodeMetadata({ ...METADATA, etag: longest })['etag']).toBe(longest);
    const large: EntryMetadata = {
      ...METADATA,
      name: longest,
      etag: longest,
      lastModified: longest,
      cacheControl: longest,
      tags: [longest],
      expires: Number.MAX_SAFE_INTEGER,
      dimensions: { originWidth: Number.MAX_SAFE_INTEGER, resultWidth: Number.MAX_SAFE_INTEGER },
    };
    const used = Object.entries(encodeMetadata(large)).flat().join('').length;
    const contentType = `image/${'x'.repeat(MAX_METADATA_BYTES - used + 'webp'.length)}`;
    const fields = encodeMetadata({ ...large, contentType });
    expect(Object.entries(fields).flat().join('').length).toBe(MAX_METADATA_BYTES);
    expect(decodeMetadata(fields)).toEqual({ ...large, contentType });
    const encode = () => encodeMetadata({ ...large, contentType: `${contentType}x` });
    expect(encode).toThrow('metadata takes 1537 bytes, at most 1536 are allowed: use fewer or shorter tags');
    expect(codeOf(encode)).toBe('ERR_CACHE_TOO_LARGE');
  });

  it.each([
    ['image/png', true],
    ['image/svg+xml', true],
    ['image/x-icon', true],
    ['image/PNG', false],
    ['image/', false],
    ['image/png; charset=utf-8', false],
    [' image/png', false],
    ['image/png\n', false],
    ['text/html', false],
    [`image/${'x'.repeat(101)}`, true],
    [`image/${'x'.repeat(102)}`, false],
    ['', false],
  ])('takes %j for an image: %j', (type, image) => {
    const code = codeOf(() => encodeMetadata({ ...METADATA, contentType: type }));
    expect(code).toBe(image ? undefined : 'ERR_CACHE_UNSUPPORTED');
  });
});

describe('decoding', () => {
  const fields = encodeMetadata(METADATA);

  it('leaves out fields that it does not know', () => {
    expect(decodeMetadata({ ...fields, setcookie: 'a=1', 'x-amz-meta': '', version2: 'é' })).toEqual(
      METADATA,
    );
  });

  it.each(['0', '2', '17'])('calls version %s unsupported, whatever else is missing', (version) => {
    const decode = () => decodeMetadata({ version });
    expect(codeOf(decode)).toBe('ERR_CACHE_UNSUPPORTED');
    expect(decode).toThrow(`entry has format version ${version}, this software reads version 1`);
  });

  it.each(Object.keys(fields))('calls an entry without %s corrupt', (field) => {
    const decode = () => decodeMetadata({ ...fields, [field]: undefined });
    expect(codeOf(decode)).toBe('ERR_CACHE_CORRUPT');
    expect(decode).toThrow(`metadata field ${field} is missing`);
  });

  it.each([
    ['version', '01'],
    ['version', 'one'],
    ['type', 'text/html'],
    ['type', 'image/png; charset=utf-8'],
    ['size', '-1'],
    ['size', '1e3'],
    ['size', '9007199254740993'],
    ['size', ' 1'],
    ['crc32', 'DEADBEEF'],
    ['crc32', 'deadbee'],
    ['crc32', '0deadbeef'],
    ['created', ''],
    ['expires', 'never'],
    ['name', ''],
    ['name', 'a%'],
    ['name', 'é'],
    ['etag', ''],
    ['etag', ' a'],
    ['etag', '%ff'],
    ['etag', 'a\r\nSet-Cookie: b'],
    ['etag', 'a'.repeat(257)],
    ['tags', ''],
    ['tags', 'a,'],
    ['tags', 'a, b'],
    ['tags', '%e0%80'],
    ['originwidth', '1.5'],
  ])('calls an entry whose %s is %j corrupt', (field, value) => {
    const decode = () => decodeMetadata({ ...fields, [field]: value });
    expect(codeOf(decode)).toBe('ERR_CACHE_CORRUPT');
    expect(decode).toThrow(new RegExp(`^metadata field ${field} `));
  });
});
