import { CacheKeyBuilder, type ImageIdentity, type KeySettings, type OptionPair } from '@imgproxy-cache/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyInput, keyInput, meaningOf, nameOf, sameTextInOtherParts, text } from './identities.js';

const RUNS = { numRuns: 3000 };

function expectEqualNamesForEqualMeanings(left: KeyInput, right: KeyInput): void {
  expect(nameOf(left) === nameOf(right)).toBe(meaningOf(left) === meaningOf(right));
}

describe('two images', () => {
  it('share a key if and only if they mean the same, whatever they are', () => {
    fc.assert(fc.property(keyInput, keyInput, expectEqualNamesForEqualMeanings), RUNS);
  });

  it('share a key if and only if they mean the same when one part of them differs', () => {
    fc.assert(
      fc.property(keyInput, keyInput, fc.nat(7), (left, other, index) => {
        const inSettings = (['namespace', 'headers', 'cookies'] as const)[index];
        const inIdentity = (['source', 'options', 'format', 'headers', 'cookies'] as const)[index - 3];
        const right: KeyInput = {
          settings: { ...left.settings, ...(inSettings && { [inSettings]: other.settings[inSettings] }) },
          identity: { ...left.identity, ...(inIdentity && { [inIdentity]: other.identity[inIdentity] }) },
        };
        expectEqualNamesForEqualMeanings(left, right);
      }),
      RUNS,
    );
  });

  it('share a key if and only if they mean the same when parts moved from one field to another', () => {
    fc.assert(
      fc.property(sameTextInOtherParts, ([left, right]) => expectEqualNamesForEqualMeanings(left, right)),
      RUNS,
    );
  });
});

interface NearMiss {
  readonly what: string;
  readonly left: Partial<ImageIdentity>;
  readonly right: Partial<ImageIdentity>;
  readonly settings?: KeySettings;
}

const HEADER: KeySettings = { headers: ['x-a'] };
const HEADERS: KeySettings = { headers: ['x-a', 'x-b'] };
const COOKIES: KeySettings = { cookies: ['a', 'b'] };

const NEAR_MISSES: readonly NearMiss[] = [
  {
    what: 'an option that moved its first letter into its name',
    left: { options: [['w', '300']] },
    right: { options: [['w3', '00']] },
  },
  {
    what: 'the order of options',
    left: {
      options: [
        ['a', '1'],
        ['b', '2'],
      ],
    },
    right: {
      options: [
        ['b', '2'],
        ['a', '1'],
      ],
    },
  },
  {
    what: 'an option that is given twice',
    left: { options: [['a', '1']] },
    right: {
      options: [
        ['a', '1'],
        ['a', '1'],
      ],
    },
  },
  { what: 'an option without a value', left: { options: [['a', '']] }, right: { options: [] } },
  {
    what: 'one pipeline and plain options',
    left: { options: [['a', '1']] },
    right: { options: { pipelines: [[['a', '1']]] } },
  },
  {
    what: 'an option that moved into the next pipeline',
    left: { options: { pipelines: [[['a', '1']], []] } },
    right: { options: { pipelines: [[], [['a', '1']]] } },
  },
  {
    what: 'an option that is called like the mark of pipelines',
    left: { options: [['pipelines', '']] },
    right: { options: { pipelines: [] } },
  },
  { what: 'no format and a blank one', left: {}, right: { format: '' } },
  { what: 'a format and a negotiated one', left: { format: 'webp' }, right: { negotiated: ['webp'] } },
  { what: 'the case of a format', left: { format: 'webp' }, right: { format: 'WEBP' } },
  { what: 'nothing negotiated and nothing said of it', left: {}, right: { negotiated: [] } },
  {
    what: 'no header and a blank one',
    left: { headers: {} },
    right: { headers: { 'x-a': '' } },
    settings: HEADER,
  },
  {
    what: 'two headers that changed their values',
    left: { headers: { 'x-a': '1', 'x-b': '2' } },
    right: { headers: { 'x-a': '2', 'x-b': '1' } },
    settings: HEADERS,
  },
  {
    what: 'a value that moved from one header to the other',
    left: { headers: { 'x-a': '1' } },
    right: { headers: { 'x-b': '1' } },
    settings: HEADERS,
  },
  {
    what: 'two lines of a header and one with a comma',
    left: { headers: { 'x-a': ['1', '2'] } },
    right: { headers: { 'x-a': '1, 2' } },
    settings: HEADER,
  },
  {
    what: "the order of a header's lines",
    left: { headers: { 'x-a': ['1', '2'] } },
    right: { headers: { 'x-a': ['2', '1'] } },
    settings: HEADER,
  },
  {
    what: "the case of a header's value",
    left: { headers: { 'x-a': 'a' } },
    right: { headers: { 'x-a': 'A' } },
    settings: HEADER,
  },
  {
    what: 'no cookie and a blank one',
    left: { cookies: {} },
    right: { cookies: { a: '' } },
    settings: COOKIES,
  },
  {
    what: 'a value that moved from one cookie to the other',
    left: { cookies: { a: '1' } },
    right: { cookies: { b: '1' } },
    settings: COOKIES,
  },
  {
    what: "the case of a cookie's name",
    left: { cookies: 'a=1' },
    right: { cookies: 'A=1' },
    settings: { cookies: ['a'] },
  },
  {
    what: 'a cookie that is sent twice',
    left: { cookies: 'a=1' },
    right: { cookies: 'a=1; a=1' },
    settings: COOKIES,
  },
  {
    what: 'the order of a repeated cookie',
    left: { cookies: 'a=1; a=2' },
    right: { cookies: 'a=2; a=1' },
    settings: COOKIES,
  },
  {
    what: 'text that looks alike: composed and decomposed letters',
    left: { source: 'caf\u00e9' },
    right: { source: 'cafe\u0301' },
  },
  {
    what: 'bytes that are invalid UTF-8, and the replacement character that decoding makes of them',
    left: { source: Uint8Array.of(0xff) },
    right: { source: '\ufffd' },
  },
  {
    what: 'two different bytes that are both invalid UTF-8',
    left: { source: Uint8Array.of(0xff) },
    right: { source: Uint8Array.of(0xfe) },
  },
  {
    what: 'a byte and the letter of the same number',
    left: { source: Uint8Array.of(0xe9) },
    right: { source: '\u00e9' },
  },
  {
    what: 'a source with a byte order mark',
    left: { source: Buffer.from('\ufeffa') },
    right: { source: Buffer.from('a') },
  },
];

describe('keys tell apart', () => {
  it.each(['s', 's:', 's1:', '\0', '\0s', 'n', 'l', ',', ';', '=', ':', '/', '&', '"', '","', '\n', '\x1f'])(
    'two options whose name ends at another %j',
    (mark) => {
      const keys = new CacheKeyBuilder();
      const name = (options: readonly OptionPair[]) => keys.build({ source: 'a', options }).name;
      fc.assert(
        fc.property(text, text, text, (before, between, after) => {
          expect(name([[before + mark + between, after]])).not.toBe(name([[before, between + mark + after]]));
        }),
      );
    },
  );

  it.each(NEAR_MISSES)('$what', ({ left, right, settings = {} }) => {
    const keys = new CacheKeyBuilder(settings);
    const source = 'https://example.com/cat.jpg';
    expect(keys.build({ source, ...left }).name).not.toBe(keys.build({ source, ...right }).name);
  });

  it.each<[string, KeySettings, KeySettings]>([
    ['another namespace', { namespace: 'a' }, { namespace: 'b' }],
    ['another header in the key', { headers: ['x-a'] }, { headers: ['x-b'] }],
    ['another cookie in the key', { cookies: ['a'] }, { cookies: ['b'] }],
    ['a header that became a cookie', { headers: ['a'] }, { cookies: ['a'] }],
    ['one header more', { headers: ['x-a'] }, { headers: ['x-a', 'x-b'] }],
    ['another prefix', { prefix: 'a' }, { prefix: 'b' }],
  ])('the same image under other settings: %s', (_what, left, right) => {
    const identity = { source: 'https://example.com/cat.jpg', headers: {} };
    expect(nameOf({ settings: left, identity })).not.toBe(nameOf({ settings: right, identity }));
  });
});
