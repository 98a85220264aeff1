import { assertEntryName, isEntryName } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

describe("an entry's name", () => {
  it.each([
    'a',
    'v1/ab/cd/0f-1e',
    'a b/c',
    '!"#$%&\'()*+,-.:;<=>?@[\\]^_`{|}~',
    '.a',
    '...',
    'a..',
    'a'.repeat(200),
    ['a'.repeat(200), 'b'.repeat(55)].join('/'),
  ])('may be %j', (name) => {
    expect(isEntryName(name)).toBe(true);
    assertEntryName(name);
  });

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/..',
    'a/./b',
    ' a',
    'a ',
    'a/ b',
    'a\n',
    'a\0b',
    'a\tb',
    'é',
    '😀',
    'a\x7f',
    'a'.repeat(201),
    ['a'.repeat(200), 'b'.repeat(56)].join('/'),
    `${'a/'.repeat(256)}b`,
  ])('may not be %j', (name) => {
    expect(isEntryName(name)).toBe(false);
    expect(() => assertEntryName(name)).toThrow(
      expect.objectContaining({
        code: 'ERR_CACHE_UNSUPPORTED',
        message: expect.stringContaining(`${JSON.stringify(name.slice(0, 80))} is not an entry's name`),
      }),
    );
  });
});
