import { MalformedValueError, parseHexList, UrlConfigError } from '@imgproxy-cache/url';
import { type Environment, readUrlConfig } from '@imgproxy-cache/url/environment';
import { describe, expect, it } from 'vitest';
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
