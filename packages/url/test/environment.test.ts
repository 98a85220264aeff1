import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MalformedValueError, parseHexList, UrlConfigError } from '@imgproxy-cache/url';
import { type Environment, misspeltUrlVariables, readUrlConfig } from '@imgproxy-cache/url/environment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VECTORS } from './vectors/read-vectors.js';

const { bool, list, hexList, int, stringMap } = VECTORS.envRules;
const BOOLEAN = 'IMGPROXY_BASE64_URL_INCLUDES_FILENAME';

function faultsOf(environment: Environment): readonly string[] {
  try {
    readUrlConfig(environment);
  } catch (error) {
    if (error instanceof UrlConfigError) return error.faults.map(({ name }) => name);
    throw error;
  }
  return [];
}

describe("imgproxy's rules for variables", () => {
  it.each([...bool.true, ...bool.false])('the boolean "%s"', (text) => {
    expect(readUrlConfig({ [BOOLEAN]: text })).toEqual({
      base64UrlIncludesFilename: bool.true.includes(text),
    });
  });

  it.each(bool.default)('a blank "%s" is the default', (text) => {
    expect(readUrlConfig({ [BOOLEAN]: text, IMGPROXY_KEY: text, IMGPROXY_PRESETS: text })).toEqual({});
  });

  it.each(bool.startupError)('"%s" is no boolean', (text) => {
    expect(faultsOf({ [BOOLEAN]: text })).toEqual([BOOLEAN]);
  });

  it.each(list)('the list "%s"', (text, items) => {
    const expected = items === 'default' ? {} : { trustedSignatures: items };
    expect(readUrlConfig({ IMGPROXY_TRUSTED_SIGNATURES: text })).toEqual(expected);
  });

  it.each(hexList)('the hexadecimal list "%s"', (text, items) => {
    if (items === 'error') {
      expect(() => parseHexList(text)).toThrow(MalformedValueError);
      expect(faultsOf({ IMGPROXY_KEY: text, IMGPROXY_SALT: text })).toEqual([
        'IMGPROXY_KEY',
        'IMGPROXY_SALT',
      ]);
      return;
    }
    // The vectors write the byte 0xAA as an escape.
    const bytes = items.map((item) => Uint8Array.from(Buffer.from(item.replace('\\xaa', '\xaa'), 'latin1')));
    expect(readUrlConfig({ IMGPROXY_KEY: text, IMGPROXY_SALT: text })).toEqual({ keys: bytes, salts: bytes });
  });

  it.each(int)('the integer "%s"', (text, value) => {
    const environment = { IMGPROXY_SIGNATURE_SIZE: text };
    if (value === 'error' || value < 1) expect(faultsOf(environment)).toEqual(['IMGPROXY_SIGNATURE_SIZE']);
    else expect(readUrlConfig(environment)).toEqual({ signatureSize: value });
  });

  it.each(stringMap)('the map "%s"', (text, rules) => {
    const environment = { IMGPROXY_URL_REPLACEMENTS: text };
    if (rules === 'error') {
      expect(faultsOf(environment)).toEqual(['IMGPROXY_URL_REPLACEMENTS']);
      return;
    }
    const urlReplacements = Object.entries(rules).map(([pattern, replacement]) => ({ pattern, replacement }));
    expect(readUrlConfig(environment)).toEqual({ urlReplacements });
  });
});

describe('reading the configuration', () => {
  it('takes each variable, text untrimmed, and leaves others alone', () => {
    const config = readUrlConfig({
      IMGPROXY_PATH_PREFIX: '/img',
      IMGPROXY_BASE_URL: ' http://e.com/',
      IMGPROXY_ARGUMENTS_SEPARATOR: ', ',
      IMGPROXY_ALLOWED_SOURCES: 's3://, http://*.e.com/',
      IMGPROXY_ALLOWED_PROCESSING_OPTIONS: 'w , h',
      IMGPROXY_ONLY_PRESETS: 'false',
      IMGPROXY_TTL: 'ten',
    });
    expect(config).toEqual({
      pathPrefix: '/img',
      baseUrl: ' http://e.com/',
      argumentsSeparator: ', ',
      allowedSources: ['s3://', 'http://*.e.com/'],
      allowedProcessingOptions: ['w', 'h'],
      onlyPresets: false,
    });
  });

  it('lists every fault at once, and never a key', () => {
    const environment = {
      IMGPROXY_KEY: 'aa,c0ffeeg',
      IMGPROXY_SALT: 'aa',
      IMGPROXY_SIGNATURE_SIZE: '33',
      [BOOLEAN]: 'yes',
      IMGPROXY_PRESETS_PATH: '/etc/presets',
      IMGPROXY_ONLY_PRESETS: 'yes',
    };
    expect(faultsOf(environment).toSorted()).toEqual(
      Object.keys(environment)
        .filter((name) => name !== 'IMGPROXY_SALT')
        .toSorted(),
    );
    expect(() => readUrlConfig(environment)).toThrow('item 2 of 2');
    expect(() => readUrlConfig(environment)).not.toThrow('c0ffee');
  });

  it('wants as many salts as keys', () => {
    expect(faultsOf({ IMGPROXY_KEY: 'aa,', IMGPROXY_SALT: 'bb' })).toEqual(['IMGPROXY_SALT']);
    expect(faultsOf({ IMGPROXY_KEY: 'aa,', IMGPROXY_SALT: 'bb,cc' })).toEqual([]);
  });
});

describe('presets in the environment', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'presets-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are trimmed, may be commented out, and the later one counts', () => {
    const text = ' a = w:1/h:2 ,, #b=w:3, a=w:4';
    expect(readUrlConfig({ IMGPROXY_PRESETS: text })).toEqual({ presets: { a: 'w:4' } });
    expect(readUrlConfig({ IMGPROXY_PRESETS: 'a=w:1|b=h:1', IMGPROXY_PRESETS_SEPARATOR: '|' })).toEqual({
      presets: { a: 'w:1', b: 'h:1' },
    });
    expect(readUrlConfig({ IMGPROXY_INFO_PRESETS: 'a=exif:0' })).toEqual({ infoPresets: { a: 'exif:0' } });
  });

  it('may stand in a file, one in a line', async () => {
    const path = join(folder, 'presets.txt');
    await writeFile(path, '# sizes\r\nsmall=w:10\r\n\n  big=w:1000  \n');
    const environment = { IMGPROXY_PRESETS: 'small=w:1,default=q:50', IMGPROXY_PRESETS_PATH: path };
    expect(readUrlConfig(environment)).toEqual({
      presets: { small: 'w:10', default: 'q:50', big: 'w:1000' },
    });
  });

  it.each([
    ['a', 'IMGPROXY_PRESETS'],
    ['a=', 'IMGPROXY_PRESETS'],
    ['=w:1', 'IMGPROXY_PRESETS'],
    ['a=w:1=2', 'IMGPROXY_PRESETS'],
    ['a=w:x', 'IMGPROXY_PRESETS'],
    ['a=pr:b', 'IMGPROXY_PRESETS'],
    ['/nowhere', 'IMGPROXY_PRESETS_PATH'],
    ['exif=w:1', 'IMGPROXY_INFO_PRESETS'],
  ])('"%s" is no %s', (text, variable) => {
    expect(faultsOf({ [variable]: text })).toEqual([variable]);
  });

  it('are read by the edition that is said', () => {
    const environment = { IMGPROXY_PRESETS: 'a=brightness:5/-/w:1' };
    expect(faultsOf(environment)).toEqual(['IMGPROXY_PRESETS']);
    expect(readUrlConfig(environment, { pro: true })).toEqual({
      presets: { a: 'brightness:5/-/w:1' },
      pro: true,
    });
  });
});

describe('further variables', () => {
  it('are read', () => {
    const key = '00'.repeat(16);
    expect(
      readUrlConfig({
        IMGPROXY_SECRET: ' hush ',
        IMGPROXY_ALLOW_SECURITY_OPTIONS: 'T',
        IMGPROXY_ONLY_PRESETS: '1',
        IMGPROXY_INFO_ONLY_PRESETS: '0',
        IMGPROXY_ALLOWED_INFO_OPTIONS: 'size, exif',
        IMGPROXY_MAX_CHAINED_PIPELINES: '3',
        IMGPROXY_SOURCE_URL_ENCRYPTION_KEY: key,
      }),
    ).toEqual({
      secret: ' hush ',
      allowSecurityOptions: true,
      onlyPresets: true,
      infoOnlyPresets: false,
      allowedInfoOptions: ['size', 'exif'],
      maxChainedPipelines: 3,
      sourceUrlEncryptionKey: new Uint8Array(16),
    });
  });

  it.each([
    ['IMGPROXY_MAX_CHAINED_PIPELINES', '-1'],
    ['IMGPROXY_SOURCE_URL_ENCRYPTION_KEY', 'aabb'],
    ['IMGPROXY_SOURCE_URL_ENCRYPTION_KEY', 'secret'],
    ['IMGPROXY_INFO_ONLY_PRESETS', 'on'],
  ])('%s is not "%s", which is never shown of a key', (variable, text) => {
    expect(faultsOf({ [variable]: text })).toEqual([variable]);
    if (variable.endsWith('KEY')) expect(() => readUrlConfig({ [variable]: text })).not.toThrow(text);
  });
});

describe('misspelt variables', () => {
  it('are found one slip away from a right name', () => {
    const meant = {
      IMGPROXY_KYE: 'IMGPROXY_KEY',
      IMGPROXY_KEYS: 'IMGPROXY_KEY',
      IMGPROXY_SLAT: 'IMGPROXY_SALT',
      IMGPROXY_PRESET: 'IMGPROXY_PRESETS',
      IMGPROXY_ALLOWED_SOURCE: 'IMGPROXY_ALLOWED_SOURCES',
      IMGPROXY_SIGNATUR_SIZE: 'IMGPROXY_SIGNATURE_SIZE',
    };
    const found = misspeltUrlVariables(Object.fromEntries(Object.keys(meant).map((name) => [name, 'x'])));
    expect(Object.fromEntries(found.map(({ variable, meant: name }) => [variable, name]))).toEqual(meant);
  });

  it('and not among those of others', () => {
    const others = [
      'IMGPROXY_TTL',
      'IMGPROXY_BIND',
      'IMGPROXY_CACHE_USE',
      'IMGPROXY_QUALITY',
      'IMGPROXY_KEY',
      'KYE',
    ];
    expect(misspeltUrlVariables(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual([]);
  });
});
