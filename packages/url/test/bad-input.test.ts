import { UrlConfigError, UrlError, UrlParser, type UrlSettings } from '@imgproxy-cache/url';
import { type Environment, readUrlConfig, URL_VARIABLES } from '@imgproxy-cache/url/environment';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VECTORS } from './vectors/read-vectors.js';

const PRESETS = { default: 'q:50', a: 'w:1/-/pr:b', b: 'h:2/pr:a' };
const CONFIGS: readonly UrlSettings[] = [
  {},
  { pro: true, presets: PRESETS, allowSecurityOptions: true },
  { pro: true, unknownOptions: 'carry', sourceUrlEncryptionKey: new Uint8Array(16) },
  { presets: { a: 'wl1', default: 'ql50' }, onlyPresets: true, argumentsSeparator: 'l' },
  { pro: true, pathPrefix: '/i', maxChainedPipelines: 2, base64UrlIncludesFilename: true },
  { clientHints: true, allowedSources: ['*', 'http://*.*/'], allowedProcessingOptions: ['w', 'rs', 'pr'] },
  { urlReplacements: [{ pattern: '*:', replacement: '$0$0$1' }], baseUrl: 'http://e/' },
];
const parsers = CONFIGS.map((config) => new UrlParser(config));

const names = [...VECTORS.options.openSource.flat(), ...VECTORS.options.documented.flat()];
const argument = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    '-1',
    '1.5',
    'NaN',
    'fit',
    'sm',
    'fp',
    'no',
    'obj',
    'png',
    'jpg',
    'fff',
    'a',
    'b',
    't',
  ),
  fc.constantFrom('0x1p-2', '1_0', '99999999999999999999', 'YQ', 'é', '%41', '%zz', '\0', '=', '@'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const option = fc
  .tuple(fc.constantFrom(...names, 'nope', ''), fc.array(argument, { maxLength: 9 }))
  .map((parts) => parts.flat().join(':'));
const part = fc.oneof(
  { weight: 6, arbitrary: option },
  fc.constantFrom('-', 'plain', 'enc', 'info', 'YQ', 'aHR0cDovL2E.png', 'http:', '', 'x@png', 's', 'fit'),
);
const uri = fc.array(part, { maxLength: 8 }).map((parts) => `/s/${parts.join('/')}`);
const anyUri = fc.oneof(
  { weight: 8, arbitrary: uri },
  uri.map((text) => `/info${text}`),
  uri.map((text) => `/i${text}`),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }),
);

/** What is thrown must be the package's own, and each answer one of imgproxy's. */
function assertTyped(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof UrlError) || ![403, 404].includes(error.status)) throw error;
  }
}

describe('fuzzed input', () => {
  it('gives an answer or a typed error: 40,000 URLs by seven configurations', () => {
    const headers = fc.constantFrom(
      undefined,
      { dpr: '2', width: '99' },
      { dpr: '1e400', width: '9'.repeat(99) },
    );
    fc.assert(
      fc.property(anyUri, headers, fc.nat(parsers.length - 1), (target, sent, at) => {
        const parser = parsers[at] as UrlParser;
        assertTyped(() => parser.parse(target, sent));
        assertTyped(() => parser.verify(target));
        if (parser.isInfo(target)) assertTyped(() => parser.parseInfo(target, sent));
      }),
      { numRuns: 40_000 },
    );
  });

  it('gives a configuration or a typed error: 5,000 environments', () => {
    const value = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        'true',
        'yes',
        '0',
        '5',
        'aa',
        'aa,bb',
        'zz',
        ',',
        ':',
        'w:1',
        'a=w:1,b=pr:a',
        'a=pr:b,b=pr:a',
      ),
      fc.constantFrom(
        '*',
        '*=$0',
        'a=b;c',
        '/nowhere',
        '.',
        '/etc/hostname',
        '\0',
        'default=w:1/h:2',
        '16',
        '=',
        'é',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    const environment = fc.dictionary(fc.constantFrom(...URL_VARIABLES), value);
    fc.assert(
      fc.property(environment, fc.boolean(), uri, (variables: Environment, pro, target) => {
        let config: UrlSettings;
        try {
          config = readUrlConfig(variables, { pro });
        } catch (error) {
          expect(error).toBeInstanceOf(UrlConfigError);
          return;
        }
        const parser = new UrlParser(config);
        assertTyped(() => parser.parse(target));
      }),
      { numRuns: 5000 },
    );
  });
});

const MEGABYTE = 1_000_000;
const repeated = (text: string) => text.repeat(Math.floor(MEGABYTE / text.length));
const LONG = [
  `/s/plain/${repeated('a')}`,
  `/s/plain/${repeated('%41')}`,
  `/s/plain/${repeated('%')}`,
  `/s/plain/${repeated('@')}`,
  `/s/plain/${repeated(':/')}`,
  `/s/plain/${repeated('é')}`,
  `/s/${repeated('YWFh')}`,
  `/s/${repeated('YWFh')}${repeated('=')}`,
  `/s/${repeated('/')}`,
  `/s/${repeated(':')}`,
  `/s/enc/${repeated('YWFh')}`,
  `/${repeated('s')}/plain/x`,
  `/s/w:${repeated('1')}/plain/x`,
  `/s/w:${repeated('0')}/plain/x`,
  `/s/dpr:1.${repeated('1')}/plain/x`,
  `/s/dpr:1${repeated('_1')}/plain/x`,
  `/s/dpr:0x1.${repeated('f')}p1/plain/x`,
  `/s/dpr:0x1p${repeated('9')}/plain/x`,
  `/s/bg:${repeated('f')}/plain/x`,
  `/s/skp${repeated(':png')}/plain/x`,
  `/s/${repeated('skp:png/')}plain/x`,
  `/s/fq${repeated(':png:1')}/plain/x`,
  `/s/pr${repeated(':a')}/plain/x`,
  `/s/g:obj${repeated(':a')}/plain/x`,
  `/s/${repeated('w:1/')}plain/x`,
  `/s/${repeated('w:x/')}plain/x`,
  `/s/${repeated('nope:1/')}plain/x`,
  `/s/${repeated('-/')}plain/x`,
  `/${repeated('%69')}/s/plain/x`,
];

describe('URLs of a megabyte', () => {
  it.each(LONG.map((target) => [`${target.slice(0, 24)}…`, target] as const))('%s', (_, target) => {
    for (const parser of parsers) {
      assertTyped(() => parser.parse(target));
      assertTyped(() => parser.verify(target));
    }
  });

  it('are not multiplied without bound by replacements', () => {
    const rule = { pattern: '', replacement: 'x' };
    const tenfold = { pattern: '*', replacement: '$0'.repeat(10) };
    const parser = new UrlParser({ urlReplacements: [rule, ...Array.from({ length: 12 }, () => tenfold)] });
    expect(() => parser.parse('/s/plain/abc')).toThrow('longer than 16777216 bytes after replacements');
  });
});
