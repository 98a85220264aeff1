import { inspect } from 'node:util';
import { CORE_TABLE, readConfig } from '@imgproxy-cache/core';
import type { ConfigTable } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

const TABLE = {
  url: {
    variable: 'IMGPROXY_CACHE_FOO_URL',
    type: 'string',
    default: '',
    required: true,
    doc: 'Where foo is.',
  },
  secretKey: {
    variable: 'IMGPROXY_CACHE_FOO_KEY',
    type: 'integer',
    default: 0,
    secret: true,
    doc: 'The key.',
  },
  secretKind: {
    variable: 'IMGPROXY_CACHE_FOO_KIND',
    type: 'enum',
    default: 'a',
    values: ['a', 'b'],
    secret: true,
    doc: 'Its kind.',
  },
  retries: {
    variable: 'IMGPROXY_CACHE_FOO_RETRIES',
    type: 'integer',
    default: 2,
    min: 0,
    max: 9,
    doc: 'How often.',
  },
  bytes: { variable: 'IMGPROXY_CACHE_FOO_BYTES', type: 'integer', default: 1, min: 1, doc: 'How many.' },
  wait: {
    variable: 'IMGPROXY_CACHE_FOO_WAIT_SECONDS',
    type: 'decimal',
    default: 1,
    max: 60,
    doc: 'How long.',
  },
  pathStyle: { variable: 'IMGPROXY_CACHE_FOO_PATH_STYLE', type: 'boolean', default: true, doc: 'Whether.' },
  mode: {
    variable: 'IMGPROXY_CACHE_FOO_MODE',
    type: 'enum',
    default: 'fast',
    values: ['fast', 'safe'],
    doc: 'How.',
  },
} as const satisfies ConfigTable;

const URL = { IMGPROXY_CACHE_FOO_URL: 'https://foo.example' };

describe('reading a table', () => {
  it('gives every variable a value of its type', () => {
    const { values, faults } = readConfig(TABLE, {
      ...URL,
      IMGPROXY_CACHE_FOO_KEY: '12345',
      IMGPROXY_CACHE_FOO_PATH_STYLE: 'f',
      IMGPROXY_CACHE_FOO_MODE: 'SAFE',
      IMGPROXY_CACHE_FOO_WAIT_SECONDS: '0.5',
    });
    expect(faults).toEqual([]);
    expect(values).toEqual({
      url: 'https://foo.example',
      secretKey: 12345,
      secretKind: 'a',
      retries: 2,
      bytes: 1,
      wait: 0.5,
      pathStyle: false,
      mode: 'safe',
    });
  });

  it('finds every fault at once, each with what was given and what is allowed', () => {
    const { values, faults } = readConfig(TABLE, {
      IMGPROXY_CACHE_FOO_URL: '  ',
      IMGPROXY_CACHE_FOO_RETRIES: '10',
      IMGPROXY_CACHE_FOO_BYTES: '9007199254740993',
      IMGPROXY_CACHE_FOO_WAIT_SECONDS: '1m',
      IMGPROXY_CACHE_FOO_PATH_STYLE: 'Yes',
      IMGPROXY_CACHE_FOO_MODE: 'Slow',
    });
    expect(Object.fromEntries(faults.map(({ variable, message }) => [variable, message]))).toEqual({
      IMGPROXY_CACHE_FOO_URL: 'is required and blank: Where foo is.',
      IMGPROXY_CACHE_FOO_RETRIES:
        'is "10", allowed is a whole number from 0 up to 9, without blanks or a unit',
      IMGPROXY_CACHE_FOO_BYTES:
        'is "9007199254740993", allowed is a whole number from 1 up to 9007199254740991, without blanks or a unit',
      IMGPROXY_CACHE_FOO_WAIT_SECONDS:
        'is "1m", allowed is a decimal number up to 60, without blanks or a unit',
      IMGPROXY_CACHE_FOO_PATH_STYLE:
        'is "Yes", allowed is true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
      IMGPROXY_CACHE_FOO_MODE: 'is "Slow", allowed is one of fast, safe',
    });
    expect(values).toMatchObject({ url: '', retries: 2, bytes: 1, wait: 1, pathStyle: true, mode: 'fast' });
  });

  it('never shows what a secret variable holds', () => {
    const result = readConfig(TABLE, {
      ...URL,
      IMGPROXY_CACHE_FOO_KEY: 'hunter2',
      IMGPROXY_CACHE_FOO_KIND: 'hunter3',
    });
    expect(result.faults.map(({ message }) => message)).toEqual([
      'is a value that is not shown, allowed is a whole number up to 9007199254740991, without blanks or a unit',
      'is a value that is not shown, allowed is one of a, b',
    ]);
    expect(inspect(result, { depth: null })).not.toContain('hunter');
  });

  it.each<[string, ConfigTable[string], string]>([
    ['a string', { ...TABLE.url, default: 'fallback' }, 'fallback'],
    ['an integer', { ...TABLE.retries, required: true }, '2'],
    ['a boolean', { ...TABLE.pathStyle, required: true }, 'true'],
    ['an enum', { ...TABLE.mode, required: true }, 'fast'],
    [
      'a list',
      { variable: 'IMGPROXY_CACHE_FOO_LIST', type: 'list', default: ['a'], required: true, doc: 'A list.' },
      'a',
    ],
  ])(
    'asks for a required variable only where it is blank, also of its default: %s',
    (_type, variable, text) => {
      expect(readConfig({ it: variable }, { [variable.variable]: text }).faults).toEqual([]);
      expect(readConfig({ it: variable }, { [variable.variable]: ' ' }).faults).toEqual([
        { variable: variable.variable, message: `is required and blank: ${variable.doc}` },
      ]);
      expect(readConfig({ it: variable }, {}).faults).toHaveLength(1);
    },
  );

  it('reads nothing but its own variables', () => {
    const { values, faults } = readConfig(TABLE, {
      ...URL,
      FOO: 'x',
      IMGPROXY_CACHE_FOO: 'x',
      mode: 'safe',
      retries: '5',
    });
    expect(faults).toEqual([]);
    expect(values).toMatchObject({ mode: 'fast', retries: 2 });
  });

  it('is not touched by what was read before', () => {
    const first = readConfig(CORE_TABLE, { IMGPROXY_CACHE_KEY_HEADERS: 'accept' });
    const second = readConfig(CORE_TABLE, {});
    expect(first.values.keyHeaders).toEqual(['accept']);
    expect(second.values.keyHeaders).toEqual([]);
    expect(readConfig(TABLE, { IMGPROXY_CACHE_FOO_RETRIES: 'x' }).faults).toHaveLength(2);
    expect(readConfig(TABLE, URL).faults).toEqual([]);
  });

  it('leaves the environment and the arguments of the process alone', () => {
    process.argv.push('--use', 'memory', '--mode=safe');
    process.env['IMGPROXY_CACHE_FOO_MODE'] = 'safe';
    try {
      expect(readConfig(TABLE, URL).values.mode).toBe('fast');
      expect(readConfig(CORE_TABLE, {}).values.use).toBe('');
    } finally {
      process.argv.splice(-3);
      delete process.env['IMGPROXY_CACHE_FOO_MODE'];
    }
  });
});

describe("core's table", () => {
  it("has imgproxy's names and defaults", () => {
    const { values, faults } = readConfig(CORE_TABLE, {});
    expect(faults).toEqual([]);
    expect(values).toMatchObject({
      use: '',
      bucket: '',
      prefix: '',
      keyHeaders: [],
      keyCookies: [],
      reportErrors: false,
    });
    expect(Object.values(CORE_TABLE).map(({ variable }) => variable)).toEqual(
      expect.arrayContaining(
        ['USE', 'BUCKET', 'PATH_PREFIX', 'KEY_HEADERS', 'KEY_COOKIES', 'REPORT_ERRORS'].map(
          (name) => `IMGPROXY_CACHE_${name}`,
        ),
      ),
    );
  });

  it('has defaults within its own limits, and a sentence for each variable', () => {
    for (const variable of Object.values<ConfigTable[string]>(CORE_TABLE)) {
      expect(variable.variable).toMatch(/^IMGPROXY_CACHE_[A-Z_]+$/);
      expect(variable.doc).toMatch(/^[A-Z].*\.$/);
      if (typeof variable.default === 'number') {
        expect(variable.default).toBeGreaterThanOrEqual(variable.min ?? -Infinity);
        expect(variable.default).toBeLessThanOrEqual(variable.max ?? Infinity);
      }
    }
  });
});
