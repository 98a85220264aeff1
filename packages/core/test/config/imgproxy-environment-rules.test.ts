import { readFileSync } from 'node:fs';
import { readConfig } from '@imgproxy-cache/core';
import type { ConfigTable, ConfigVariable } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

interface Rules {
  readonly bool: Readonly<Record<'true' | 'false' | 'default' | 'startupError', readonly string[]>>;
  readonly list: readonly (readonly [string, readonly string[] | 'default'])[];
  readonly enum: readonly (readonly [string, string])[];
  readonly int: readonly (readonly [string, number | 'error'])[];
}

const RULES = JSON.parse(
  readFileSync(new URL('imgproxy-environment-rules.json', import.meta.url), 'utf8'),
) as Rules;

const VARIABLE = 'IMGPROXY_CACHE_TEST';

type VariableOf<Type> = Omit<Extract<ConfigVariable, { readonly type: Type }>, 'variable' | 'doc'>;

/** Reads one variable: its value, or `error`. */
function read<Type extends ConfigVariable['type']>(
  variable: VariableOf<Type>,
  text: string | undefined,
): unknown {
  const table = { test: { variable: VARIABLE, doc: 'A test.', ...variable } as ConfigVariable };
  const { values, faults } = readConfig<ConfigTable>(table, { [VARIABLE]: text });
  expect(faults.every((fault) => fault.variable === VARIABLE)).toBe(true);
  if (faults.length > 0) expect(values['test']).toEqual(variable.default);
  return faults.length > 0 ? 'error' : values['test'];
}

describe("imgproxy's own examples", () => {
  it.each(RULES.bool.true)('boolean %j is true', (text) => {
    expect(read({ type: 'boolean', default: false }, text)).toBe(true);
  });

  it.each(RULES.bool.false)('boolean %j is false', (text) => {
    expect(read({ type: 'boolean', default: true }, text)).toBe(false);
  });

  it.each(RULES.bool.default)('boolean %j is the default', (text) => {
    expect(read({ type: 'boolean', default: true }, text)).toBe(true);
    expect(read({ type: 'boolean', default: false }, text)).toBe(false);
  });

  it.each(RULES.bool.startupError)('boolean %j is a fault', (text) => {
    expect(read({ type: 'boolean', default: false }, text)).toBe('error');
    expect(read({ type: 'boolean', default: true }, text)).toBe('error');
  });

  it.each(RULES.list)('list %j is %j', (text, items) => {
    expect(read({ type: 'list', default: ['default'] }, text)).toEqual(
      items === 'default' ? ['default'] : items,
    );
  });

  it.each(RULES.enum)('enum %j is %j', (text, value) => {
    expect(read({ type: 'enum', default: 'default', values: ['default', 'fs', 's3'] }, text)).toBe(value);
  });

  it.each(RULES.int)('integer %j is %j', (text, value) => {
    expect(read({ type: 'integer', default: 7 }, text)).toBe(value);
  });
});

const BLANK = [undefined, '', ' ', '   ', '\t', '\n', ' \t\r\n', '\u00a0'];

describe('a blank variable', () => {
  it.each(BLANK)('%j is the default, whatever the type', (text) => {
    expect(read({ type: 'string', default: 'kept' }, text)).toBe('kept');
    expect(read({ type: 'boolean', default: true }, text)).toBe(true);
    expect(read({ type: 'integer', default: 7 }, text)).toBe(7);
    expect(read({ type: 'decimal', default: 0.5 }, text)).toBe(0.5);
    expect(read({ type: 'list', default: ['a', ''] }, text)).toEqual(['a', '']);
    expect(read({ type: 'enum', default: 'fs', values: ['fs', 's3'] }, text)).toBe('fs');
  });

  it('may have a default that nobody could set', () => {
    expect(read({ type: 'integer', default: 0, min: 1 }, '')).toBe(0);
    expect(read({ type: 'enum', default: '', values: ['fs'] }, ' ')).toBe('');
  });
});

const INTEGERS: readonly (readonly [string, unknown])[] = [
  ['0', 0],
  ['+0', 0],
  ['007', 7],
  ['-12', -12],
  ['+080', 80],
  ['9007199254740991', 9_007_199_254_740_991],
  ['-9007199254740991', -9_007_199_254_740_991],
  ['9007199254740992', 'error'],
  ['9007199254740993', 'error'],
  ['9223372036854775807', 'error'],
  ['1e3', 'error'],
  ['0x10', 'error'],
  ['1_000', 'error'],
  ['1,000', 'error'],
  ['10 ', 'error'],
  ['+ 1', 'error'],
  ['--1', 'error'],
  ['+', 'error'],
  ['1.0', 'error'],
  ['.5', 'error'],
  ['Infinity', 'error'],
  ['NaN', 'error'],
  ['true', 'error'],
  ['\u0661', 'error'],
];

const DECIMALS: readonly (readonly [string, unknown])[] = [
  ['1', 1],
  ['0.25', 0.25],
  ['+1.50', 1.5],
  ['-0.5', -0.5],
  ['00.5', 0.5],
  ['1.', 'error'],
  ['.5', 'error'],
  ['1,5', 'error'],
  ['1e3', 'error'],
  ['1s', 'error'],
  [' 1', 'error'],
  ['1.2.3', 'error'],
  ['Infinity', 'error'],
  ['NaN', 'error'],
  ['9'.repeat(309), 'error'],
];

describe('values that imgproxy gives no example of', () => {
  it.each(INTEGERS)('integer %j is %j', (text, value) => {
    expect(read({ type: 'integer', default: 99 }, text)).toBe(value);
  });

  it.each(DECIMALS)('decimal %j is %j', (text, value) => {
    expect(read({ type: 'decimal', default: 99 }, text)).toBe(value);
  });

  it.each([' leading', 'trailing ', '"quoted"', 'a,b', 'TRUE', '10', '$HOME', '\\n', 'é'])(
    'string %j stays as it is',
    (text) => {
      expect(read({ type: 'string', default: '' }, text)).toBe(text);
    },
  );

  it.each<[string, readonly string[]]>([
    ['a', ['a']],
    ['a, b\t,\tc', ['a', 'b', 'c']],
    [',a,', ['', 'a', '']],
    ['a b', ['a b']],
    ['"a,b"', ['"a', 'b"']],
  ])('list %j is %j', (text, items) => {
    expect(read({ type: 'list', default: [] }, text)).toEqual(items);
  });

  it.each<[string, string]>([
    ['s3', 's3'],
    ['S3', 's3'],
    ['s3 ', 'error'],
    ['s', 'error'],
    ['s3,fs', 'error'],
    ['default', 'error'],
  ])('enum %j is %j', (text, value) => {
    expect(read({ type: 'enum', default: 'fs', values: ['fs', 's3'] }, text)).toBe(value);
  });
});

describe('limits', () => {
  it.each<[string, unknown]>([
    ['0', 'error'],
    ['1', 1],
    ['10', 10],
    ['11', 'error'],
    ['-5', 'error'],
  ])('of an integer are inclusive: %j from 1 up to 10 is %j', (text, value) => {
    expect(read({ type: 'integer', default: 5, min: 1, max: 10 }, text)).toBe(value);
  });

  it.each<[string, unknown]>([
    ['0.0009', 'error'],
    ['0.001', 0.001],
    ['3600', 3600],
    ['3600.1', 'error'],
  ])('of a decimal are inclusive: %j from 0.001 up to 3600 is %j', (text, value) => {
    expect(read({ type: 'decimal', default: 5, min: 0.001, max: 3600 }, text)).toBe(value);
  });
});
