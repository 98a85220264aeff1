import {
  type ProcessingOptions,
  parseHexList,
  type SourceEncoding,
  UrlBuildError,
  UrlBuilder,
  UrlParser,
  type UrlSettings,
} from '@imgproxy-cache/url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyOptions, INFO_ARBITRARIES, PROCESSING_ARBITRARIES } from './option-arbitraries.js';
import { VECTORS } from './vectors/read-vectors.js';

const [encryptionKey = new Uint8Array()] = parseHexList(VECTORS.encryption.keyHex);
const ALL: UrlSettings = {
  keys: parseHexList('736563726574'),
  salts: parseHexList('68656c6c6f'),
  pathPrefix: '/img',
  pro: true,
  allowSecurityOptions: true,
  presets: { small: 'w:10', chain: 'w:1/-/h:2', default: 'q:11' },
  infoPresets: { none: 'exif:0' },
  sourceUrlEncryptionKey: encryptionKey,
  now: () => 0,
};
const builder = new UrlBuilder(ALL);
const parser = new UrlParser(ALL);
const unsigned = new UrlParser({ ...ALL, keys: [], salts: [] });

const ENCODED = /^(?:watermark_url|watermark_text|style|fallback_image_url)$/;

/** A URL as somebody would write it who knows no builder. */
function writtenByHand(options: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(options).map(([name, value]) => {
    const values = [value].flat();
    const args = values.map((item) => (item === undefined ? '' : String(item)));
    if (ENCODED.test(name)) return `${name}:${Buffer.from(args[0] ?? '').toString('base64url')}`;
    if (name === 'filename') return `${name}:${Buffer.from(args[0] ?? '').toString('base64url')}:1`;
    return [name, ...args].join(':').replace(/^[^:]+$/, '$&:');
  });
  return parts.join('/');
}

const encoding = fc.constantFrom<SourceEncoding>('base64', 'plain', 'encrypted');
const anySource = fc.oneof(
  fc.webUrl({ withQueryParameters: true }),
  fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed()),
  fc
    .array(fc.constantFrom('/', ':', '.', '..', '@', '%', '?', 'plain', 'a', 'é', '#'), { minLength: 1 })
    .map((parts) => parts.join('')),
  fc.uint8Array({ minLength: 1 }),
);

describe('what is built', () => {
  it('is read as it was given, for all options', () => {
    const groups = fc.array(anyOptions<ProcessingOptions>(PROCESSING_ARBITRARIES), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(groups, fc.webUrl(), encoding, (options, source, how) => {
        const uri = builder.build({ options, source, encoding: how });
        const image = parser.parse(uri);
        const byHand = options.map((group) => writtenByHand(group)).join('/-/');
        const encoded = Buffer.from(source).toString('base64url');
        const expected = unsigned.parse(`/img/s/${byHand}/${encoded}`.replace(/\/+/g, '/'));
        expect(image.pipelines).toEqual(expected.pipelines);
        expect(image.source.text).toBe(source);
      }),
      { numRuns: 400 },
    );
  });

  it('holds each option alone', () => {
    for (const [name, arbitrary] of Object.entries(PROCESSING_ARBITRARIES)) {
      fc.assert(
        fc.property(arbitrary as fc.Arbitrary<unknown>, (value) => {
          const uri = builder.build({ source: 'x', options: { [name]: value } });
          const expected = parser.verify(uri).signedPath;
          expect(expected.startsWith(`/${name}:`)).toBe(true);
        }),
        { numRuns: 20 },
      );
    }
  });

  it('has the source’s bytes, or is refused with a typed error', () => {
    fc.assert(
      fc.property(anySource, encoding, (source, how) => {
        let uri: string;
        try {
          uri = builder.build({ source, encoding: how });
        } catch (error) {
          expect(error).toBeInstanceOf(UrlBuildError);
          // Nothing but dots between slashes cannot be written so that clients leave it alone.
          expect(how).toBe('plain');
          return;
        }
        expect(Buffer.from(parser.parse(uri).source.bytes)).toEqual(Buffer.from(source));
        // Clients change nothing of it.
        expect(new URL(uri, 'http://e.com').pathname).toBe(uri);
      }),
      { numRuns: 2000 },
    );
  });

  it('asks for information, too', () => {
    fc.assert(
      fc.property(anyOptions(INFO_ARBITRARIES), fc.webUrl(), (options, source) => {
        const read = parser.parseInfo(builder.buildInfo({ options, source }));
        expect(read.source.text).toBe(source);
        const names = new Set(read.options.map(([name]) => name.split('.')[0]));
        for (const name of Object.keys(options)) if (name !== 'preset') expect(names).toContain(name);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a builder', () => {
  const source = 'http://example.com/images/curiosity.jpg';
  const open = new UrlBuilder();

  it('writes what people would', () => {
    const options: ProcessingOptions = {
      resize: ['fill', 300, 400, false],
      gravity: ['sm'],
      preset: undefined,
    };
    expect(open.build({ source, options, extension: 'png', encoding: 'plain' })).toBe(
      `/unsafe/resize:fill:300:400:0/gravity:sm/plain/${source}@png`,
    );
    expect(open.build({ source, options: { background: [255, 0, 0], flip: [undefined, true] } })).toBe(
      '/unsafe/background:255:0:0/flip::1/aHR0cDovL2V4YW1wbGUuY29tL2ltYWdlcy9jdXJpb3NpdHkuanBn',
    );
  });

  it('signs with the first key, in the size that is configured', () => {
    const signing = { keys: parseHexList('736563726574'), salts: parseHexList('68656c6c6f') };
    const options: ProcessingOptions = { width: 5 };
    const full = new UrlBuilder(signing).build({ source, options });
    const short = new UrlBuilder({ ...signing, signatureSize: 8 }).build({ source, options });
    const [fullBytes, shortBytes] = [full, short].map((uri) =>
      Buffer.from(uri.split('/')[1] ?? '', 'base64url'),
    );
    expect(shortBytes).toEqual(fullBytes?.subarray(0, 8));
    new UrlParser({ ...signing, signatureSize: 8 }).parse(short);
  });

  it('encrypts as imgproxy’s documentation does', () => {
    const { ivHex, sourceUrl, encoded } = VECTORS.encryption;
    const [iv] = parseHexList(ivHex);
    const encrypting = new UrlBuilder({ sourceUrlEncryptionKey: encryptionKey });
    expect(encrypting.build({ source: sourceUrl, encoding: 'encrypted', iv })).toBe(`/unsafe/enc/${encoded}`);
    const [once, again] = [1, 2].map(() => encrypting.build({ source: sourceUrl, encoding: 'encrypted' }));
    expect(once).toBe(again);
  });

  it('writes presets where only they are allowed', () => {
    const only = new UrlBuilder({ presets: { a: 'w:1', b: 'h:1' }, onlyPresets: true });
    expect(only.build({ source: 'x', options: { preset: ['a', 'b'] }, encoding: 'plain' })).toBe(
      '/unsafe/a:b/plain/x',
    );
    expect(() => only.build({ source: 'x', options: { width: 1 } })).toThrow('only presets are allowed');
  });

  it('uses the separator that is configured', () => {
    const commas = new UrlBuilder({ argumentsSeparator: ',' });
    expect(commas.build({ source: 'x', options: { crop: [1, 2], cachebuster: 'a:b' } })).toBe(
      '/unsafe/crop,1,2/cachebuster,a:b/eA',
    );
  });

  it.each<[string, unknown, UrlSettings]>([
    ['Invalid width: -1 (expected positive number or 0)', { options: { width: -1 } }, {}],
    ['Invalid dpr: 0 (expected positive number)', { options: { dpr: 0 } }, {}],
    ['a character that separates', { options: { cachebuster: 'a/b' } }, {}],
    ['Invalid cachebuster arguments', { options: { cachebuster: 'a:b' } }, {}],
    ['Invalid cachebuster arguments', { options: { cachebuster: 'a%3Ab' } }, {}],
    ['clients change the character "é"', { options: { cachebuster: 'é' } }, {}],
    ['clients change the character "?"', { options: { cachebuster: '?' } }, {}],
    ['there is no processing option nope', { options: { nope: 1 } }, {}],
    ['there is no processing option constructor', { options: { constructor: 1 } }, {}],
    ['there is no processing option brightness', { options: { brightness: 1 } }, {}],
    ['the option width takes no object', { options: { width: {} } }, {}],
    ['Unknown preset: a', { options: { preset: 'a' } }, {}],
    ['Expired URL', { options: { expires: 1 } }, {}],
    ['Security processing options are not allowed', { options: { max_src_resolution: 1 } }, {}],
    ['Forbidden processing option height', { options: { height: 1 } }, { allowedProcessingOptions: ['w'] }],
    ['Source URL is not allowed', {}, { allowedSources: ['s3://'] }],
    ['Invalid format: xyz', { extension: 'xyz' }, {}],
    ['Invalid path', { source: '' }, {}],
    ['the source must be a string or a Uint8Array, it is undefined', { source: undefined }, {}],
    ['The text has a lone surrogate', { source: '\ud800' }, {}],
    ['sourceUrlEncryptionKey is needed', { encoding: 'encrypted' }, {}],
    [
      'initialization vector',
      { encoding: 'encrypted', iv: new Uint8Array(3) },
      { sourceUrlEncryptionKey: encryptionKey },
    ],
    ['More than 1 chained pipelines', { options: [{}, {}] }, { pro: true, maxChainedPipelines: 1 }],
  ])('refuses what imgproxy would: %s', (message, image, config) => {
    const build = () => new UrlBuilder(config).build({ source: 'x', ...(image as object) });
    expect(build).toThrow(UrlBuildError);
    expect(build).toThrow(message);
  });

  it('throws no other error, whatever it is given', () => {
    const anything = fc.anything({ withBigInt: true, withNullPrototype: true });
    const name = fc.constantFrom(...Object.keys(PROCESSING_ARBITRARIES));
    fc.assert(
      fc.property(anything, name, anything, anything, (input, option, value, other) => {
        for (const build of [
          () => builder.build({ source: 'x', options: { [option]: value } }),
          () => builder.build({ source: other as string, options: input as ProcessingOptions }),
          () => builder.build({ source: 'x', extension: other as never, encoding: input as never }),
          () => builder.build(input as never),
          () => builder.buildInfo({ source: 'x', options: { [option]: value } }),
        ]) {
          try {
            parser.verify(build());
          } catch (error) {
            expect(error).toBeInstanceOf(UrlBuildError);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
