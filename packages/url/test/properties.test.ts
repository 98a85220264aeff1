import { parseHexList, signPath, toCacheRequest, UrlBuilder, UrlError, UrlParser } from '@imgproxy-cache/url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROCESSING_ARBITRARIES } from './option-arbitraries.js';
import { VECTORS } from './vectors/read-vectors.js';

const CONFIG = { keys: parseHexList('736563726574'), salts: parseHexList('68656c6c6f') };
const signedParser = new UrlParser(CONFIG);
const PRO = { pro: true, allowSecurityOptions: true, now: () => 0 };
const openParser = new UrlParser({ now: () => 0 });

/** Text that looks much like a URL: pieces with a meaning, among any characters. */
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    ':',
    '%3A',
    '%3a',
    '%',
    '@',
    '.',
    '?',
    'plain',
    '/plain/',
    'http:/',
    'local:/',
    '=',
    '-',
  ),
  fc.constantFrom(
    'rs:fit:1:2',
    'w:',
    'bg:',
    'exp:',
    'fn:YQ:1',
    'dpr:0x1p',
    'aHR0cDovL2E',
    'png',
    'g:sm',
    'pr:a',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const urlText = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);
const pathToSign = urlText
  .map((text) => text.replaceAll('?', '').replace(/%(?![0-9a-f]{2})/gi, '%25'))
  .filter((text) => text.length > 1);

const optionGroups = [
  ['w:1', 'width:20'],
  ['h:0', 'height:3'],
  ['rt:fill', 'resizing_type:auto'],
  ['q:80', 'quality:0'],
  ['dpr:2', 'dpr:1.5'],
  ['el:1', 'enlarge:0'],
  ['bg:fff', 'background:1:2:3'],
  ['cb:a', 'cachebuster:b'],
  ['f:png', 'ext:webp'],
  ['att:1', 'return_attachment:0'],
];
const independentOptions = fc
  .tuple(...optionGroups.map((group) => fc.option(fc.constantFrom(...group), { nil: undefined })))
  .map((options) => options.filter((option) => option !== undefined));

const urlOf = (options: readonly string[]) => `/s/${[...options, 'plain', 'http://e.com/a'].join('/')}`;

describe('signatures', () => {
  it('a signed path always passes', () => {
    fc.assert(
      fc.property(pathToSign, fc.integer({ min: 1, max: 32 }), (path, signatureSize) => {
        const config = { ...CONFIG, signatureSize, pathPrefix: '/img' };
        new UrlParser(config).verify(signPath(path, config));
      }),
    );
  });

  it('a signed path passes in bytes too, with other bytes than text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const path = `/plain/${Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')}`;
        const uri = Buffer.from(signPath(path, CONFIG));
        expect(Buffer.from(signedParser.parse(uri).source.bytes)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('any other character in a signed path fails', () => {
    fc.assert(
      fc.property(
        pathToSign,
        fc.nat(),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        (path, at, other) => {
          const characters = [...path];
          const place = 1 + (at % (characters.length - 1));
          fc.pre(characters[place] !== other);
          const [, signature] = signPath(path, CONFIG).split('/');
          const changed = characters.with(place, other).join('');
          expect(() => signedParser.verify(`/${signature}${changed}`)).toThrow(UrlError);
        },
      ),
    );
  });
});

describe('reading', () => {
  it('throws nothing but the package’s own error', () => {
    const parsers = [openParser, signedParser, new UrlParser({ pathPrefix: '/i', argumentsSeparator: 'l' })];
    const anything = fc.oneof(
      urlText,
      urlText.map((text) => `/s${text}`),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom(...parsers), (uri, parser) => {
        try {
          parser.parse(uri);
        } catch (error) {
          expect(error).toBeInstanceOf(UrlError);
          expect([403, 404]).toContain((error as UrlError).status);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('does not mind the order of independent options', () => {
    const twoOrders = independentOptions.chain((options) =>
      fc.tuple(fc.constant(options), fc.shuffledSubarray(options, { minLength: options.length })),
    );
    fc.assert(
      fc.property(twoOrders, ([options, shuffled]) => {
        const [first, second] = [options, shuffled].map((order) =>
          toCacheRequest(openParser.parse(urlOf(order))),
        );
        expect(second).toEqual(first);
      }),
    );
  });

  it('tells different options apart, and sorts them', () => {
    fc.assert(
      fc.property(independentOptions, independentOptions, (some, others) => {
        const [first, second] = [some, others].map((options) =>
          toCacheRequest(openParser.parse(urlOf(options))),
        );
        const areSame = JSON.stringify(some) === JSON.stringify(others);
        expect(JSON.stringify(first) === JSON.stringify(second)).toBe(areSame);
        const names = openParser.parse(urlOf(some)).options.map(([name]) => name);
        expect(names).toEqual(names.toSorted());
      }),
    );
  });

  it('finds the same source in every spelling', () => {
    const source = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(source, fc.nat(), (text, at) => {
        const base64 = Buffer.from(text).toString('base64url');
        const cut = at % base64.length;
        const uris = [
          `/s/plain/${encodeURIComponent(text)}`,
          `/s/${base64}`,
          `/s/${base64.slice(0, cut)}/${base64.slice(cut)}=`,
        ];
        for (const uri of uris) expect(toCacheRequest(openParser.parse(uri)).source).toBe(text);
      }),
    );
  });

  it('gives one key to one meaning: all options, in any order and under any alias', () => {
    const { adjust, resize, size, co, preset, ...independent } = PROCESSING_ARBITRARIES;
    const builder = new UrlBuilder(PRO);
    const parser = new UrlParser(PRO);
    const aliases = new Map(
      VECTORS.options.documented.map((names) => [names[0], names.filter((name) => name !== 'co')]),
    );
    fc.assert(
      fc.property(
        fc.record(independent, { requiredKeys: [] }),
        fc.infiniteStream(fc.nat()),
        (options, random) => {
          const path = new URL(builder.build({ source: 'http://e.com/a', options }), 'http://h').pathname;
          const [, , ...parts] = path.split('/');
          const source = parts.pop();
          const respelt = parts.map((part) => {
            const [name = '', ...args] = part.split(':');
            const names = aliases.get(name) ?? [name];
            return [names[Number(random.next().value) % names.length], ...args].join(':');
          });
          const shuffled = respelt
            .map((part) => [Number(random.next().value), part] as const)
            .sort(([one], [other]) => one - other)
            .map(([, part]) => part);
          const [given, other] = [parts, shuffled].map((all) =>
            toCacheRequest(parser.parse(`/s/${[...all, source].join('/')}`)),
          );
          expect(other).toEqual(given);
        },
      ),
      { numRuns: 400 },
    );
  });
});
