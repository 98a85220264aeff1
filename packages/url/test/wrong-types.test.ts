import {
  MalformedValueError,
  parseHexList,
  signPath,
  toCacheRequest,
  UrlBuilder,
  type UrlConfig,
  UrlConfigError,
  UrlError,
  UrlParser,
  type UrlSettings,
} from '@imgproxy-cache/url';
import { readUrlConfig, URL_VARIABLES } from '@imgproxy-cache/url/environment';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

const KEYS = { keys: parseHexList('aa'), salts: parseHexList('bb') };
const SETTINGS: readonly (keyof UrlConfig)[] = [
  'keys',
  'salts',
  'signatureSize',
  'trustedSignatures',
  'argumentsSeparator',
  'base64UrlIncludesFilename',
  'baseUrl',
  'urlReplacements',
  'allowedSources',
  'allowedProcessingOptions',
  'allowSecurityOptions',
  'presets',
  'onlyPresets',
  'infoPresets',
  'infoOnlyPresets',
  'allowedInfoOptions',
  'pro',
  'unknownOptions',
  'maxChainedPipelines',
  'sourceUrlEncryptionKey',
  'secret',
  'clientHints',
  'pathPrefix',
  'now',
];
const PATH = '/w:1/exp:4102444800/plain/http://e.com/a';

const anything = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    Number.NaN,
    -1,
    1n,
    Symbol('s'),
    '',
    '\ud800',
    'aa',
    ['aa'],
    [null],
  ),
  fc.constantFrom<unknown>(
    () => Number.NaN,
    () => 'now',
    new Uint8Array(2),
    [new Uint8Array(2)],
    new Map(),
  ),
  fc.constantFrom<unknown>([{ pattern: 'a' }], [{ pattern: 'a*', replacement: 'b' }], new Date(0)),
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withTypedArray: true,
    withNullPrototype: true,
  }),
);

/** As JavaScript calls it: with values of any type. */
const call = <Result>(action: (...args: never[]) => Result, ...args: unknown[]): Result =>
  action(...(args as never[]));
const parserOf = (config: unknown) => call((given) => new UrlParser(given), config);

/** What an action threw; undefined when it went well. */
function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Whether an error says itself what is wrong, which an engine's own TypeError does not. */
function isClear(error: unknown): boolean {
  if (error === undefined || error instanceof UrlConfigError || error instanceof UrlError) return true;
  const isOwnTypeError =
    /^(A request URI|A path to sign|A key and a salt|The text has|toCacheRequest takes) /;
  return error instanceof TypeError && isOwnTypeError.test(error.message);
}

test.each([{ key: [] }, { Keys: [] }, { signature_size: 8 }, { nope: undefined }])(
  'settings of an unknown name are a fault: %j',
  (settings) => {
    const [name = ''] = Object.keys(settings);
    for (const create of [UrlParser, UrlBuilder]) {
      const faults = [{ name, message: expect.stringMatching(/^is not a setting; there are keys, salts/) }];
      expect(() => new create(settings as UrlSettings)).toThrow(expect.objectContaining({ faults }));
    }
  },
);

describe('a setting that is undefined', () => {
  test.each(SETTINGS)('%s has its default', (setting) => {
    const config = setting === 'keys' || setting === 'salts' ? {} : KEYS;
    const path = signPath(PATH, KEYS);
    const parser = parserOf({ ...config, [setting]: undefined });
    expect(parser.parse(path)).toEqual(new UrlParser(config).parse(path));
  });

  test('a path is signed without a signature size and a prefix', () => {
    const config = { ...KEYS, signatureSize: undefined, pathPrefix: undefined };
    expect(call(signPath, PATH, config)).toBe(signPath(PATH, KEYS));
  });

  test('now: a URL that has expired is refused', () => {
    expect(() => parserOf({ now: undefined }).parse('/s/exp:1/plain/a')).toThrow('Expired URL');
  });
});

describe('values of other types', () => {
  test.each(SETTINGS)('the setting %s is taken, or refused by name and not shown', (setting) => {
    fc.assert(
      fc.property(anything, (value) => {
        const error = errorOf(() => parserOf({ [setting]: value }));
        if (error === undefined) return;
        expect(error).toBeInstanceOf(UrlConfigError);
        const names = (error as UrlConfigError).faults.map(({ name }) => name);
        // Where there are keys and no salts, it is the salts that are wrong.
        expect(names).toEqual([names[0] === 'salts' && setting === 'keys' ? 'salts' : setting]);
      }),
      { numRuns: 300 },
    );
  });

  it('a configuration must be an object', () => {
    for (const config of [null, 'keys', 1, [], () => ({})])
      expect(() => parserOf(config)).toThrow(/^config must be an object of settings, it is /);
    expect(() => call(readUrlConfig)).toThrow('environment must be an object of variables, it is undefined');
  });

  test('all public functions say clearly what they were not given', () => {
    const parser = new UrlParser();
    fc.assert(
      fc.property(anything, anything, fc.constantFrom(...SETTINGS), (first, second, setting) => {
        const errors = [
          errorOf(() => parserOf(first)),
          errorOf(() => parserOf({ [setting]: first }).parse(`/s${PATH}`)),
          errorOf(() => call((uri) => parser.parse(uri), first)),
          errorOf(() => call((uri) => parser.verify(uri), first)),
          errorOf(() => call(readUrlConfig, first)),
          errorOf(() => call(signPath, first, second)),
          errorOf(() => call(signPath, first, KEYS)),
          errorOf(() => call(signPath, PATH, { ...KEYS, signatureSize: first })),
          errorOf(() => call(toCacheRequest, first)),
        ];
        expect(errors.filter((error) => !isClear(error))).toEqual([]);
        const malformed = errorOf(() => call(parseHexList, first));
        if (malformed !== undefined) expect(malformed).toBeInstanceOf(MalformedValueError);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(URL_VARIABLES)('%s is read, or refused by name', (variable) => {
    fc.assert(
      fc.property(anything, (value) => {
        const error = errorOf(() => call(readUrlConfig, { [variable]: value }));
        if (error === undefined) return;
        expect(error).toBeInstanceOf(UrlConfigError);
        // Where there are keys and no salts, it is the salts that are wrong.
        expect((error as UrlConfigError).faults.map(({ name }) => name.replace('SALT', 'KEY'))).toEqual([
          variable.replace('SALT', 'KEY'),
        ]);
      }),
    );
  });

  it('a request that is no text and no bytes is the caller’s mistake, and no refusal', () => {
    expect(() => call((uri) => new UrlParser().parse(uri))).toThrow(
      new TypeError('A request URI must be a string or a Uint8Array, it is undefined'),
    );
  });

  it('a clock that gives no number lets no URL live for ever', () => {
    for (const now of [() => Number.NaN, () => undefined, () => 'now'])
      expect(() => parserOf({ now }).parse('/s/exp:9999999999/plain/a')).toThrow('Expired URL');
  });
});

describe('a malformed percent-escape', () => {
  test.each([
    '/%zz/w:1/plain/a',
    '/s/cb:%zz/plain/a',
    '/s/cb:%4/plain/a',
    '/s/fn:a%/plain/a',
    '/s/plain/a%zz',
  ])('%s is answered with 404', (uri) => {
    for (const parser of [new UrlParser(), new UrlParser({ ...KEYS, trustedSignatures: ['s', '%zz'] })]) {
      for (const read of [parser.parse, parser.verify])
        expect(errorOf(() => read.call(parser, uri))).toMatchObject({
          code: 'ERR_URL_INVALID',
          status: 404,
          publicMessage: 'Invalid URL',
        });
    }
  });

  it('is not signed', () => {
    expect(() => signPath('/cb:%zz/plain/a', KEYS)).toThrow(
      new TypeError('A path to sign has no malformed percent-escape: escape "%" in it as %25'),
    );
  });

  it('in the query is nobody’s concern', () => {
    expect(new UrlParser().parse('/s/plain/a?%zz').source.text).toBe('a');
  });
});
