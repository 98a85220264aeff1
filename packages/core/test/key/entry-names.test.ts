import { hash } from 'node:crypto';
import path from 'node:path';
import { CacheKeyBuilder } from '@imgproxy-cache/core';
import { isCacheError, isEntryName } from '@imgproxy-cache/core/driver';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyInput, nameOf, text } from './identities.js';

const segment = fc
  .stringMatching(/^[A-Za-z0-9!_.*'()@=+,:~-]{1,20}$/)
  .filter((part) => !/^\.\.?$/.test(part));
const prefix = fc.array(segment, { maxLength: 4 }).map((segments) => segments.join('/'));
const SOURCE = 'https://example.com/cat.jpg';

describe("an entry's name", () => {
  it('has the documented form under every prefix, and never another', () => {
    fc.assert(
      fc.property(keyInput, prefix, (input, root) => {
        const name = nameOf({ ...input, settings: { ...input.settings, prefix: root } });
        const { source } = input.identity;
        const digits = hash('sha256', source, 'hex').slice(0, 32);
        const folder = `${root === '' ? '' : `${root}/`}v1/${digits.slice(0, 2)}/${digits.slice(2, 4)}/`;
        expect(name.slice(0, folder.length)).toBe(folder);
        expect(name.slice(folder.length)).toMatch(new RegExp(`^${digits}-[0-9a-f]{64}$`));
        expect(isEntryName(name)).toBe(true);
        expect(name.length).toBeLessThanOrEqual(256);
        expect(new CacheKeyBuilder({ prefix: root }).names.isEntry(name)).toBe(true);
      }),
    );
  });

  it('begins with the prefix of its source, and with that of no other', () => {
    fc.assert(
      fc.property(keyInput, text, prefix, (input, other, root) => {
        const keys = new CacheKeyBuilder({ ...input.settings, prefix: root });
        const { name } = keys.build(input.identity);
        const { source } = input.identity;
        expect(name.startsWith(keys.sourcePrefix(source))).toBe(true);
        expect(name.startsWith(keys.sourcePrefix(other))).toBe(
          Buffer.compare(Buffer.from(other), Buffer.from(source as string)) === 0,
        );
      }),
    );
  });

  it('shares its listing prefix with all variants of its source, whatever the operator puts into keys', () => {
    const blue = new CacheKeyBuilder({ namespace: 'blue', headers: ['accept'], cookies: ['a'] });
    const plain = new CacheKeyBuilder();
    expect(blue.sourcePrefix(SOURCE)).toBe(plain.sourcePrefix(Buffer.from(SOURCE)));
    expect(plain.build({ source: SOURCE, format: 'webp' }).name.startsWith(blue.sourcePrefix(SOURCE))).toBe(
      true,
    );
  });
});

describe('isEntry', () => {
  const keys = new CacheKeyBuilder({ prefix: 'images' });
  const { names } = keys;
  const entry = keys.build({ source: SOURCE }).name;

  it('knows the names of entries', () => {
    expect(names.isEntry(entry)).toBe(true);
  });

  it.each<[string, string]>([
    ['another prefix', entry.replace('images/', 'other/')],
    ['no prefix', entry.replace('images/', '')],
    ['a prefix before the prefix', `a/${entry}`],
    ['another generation', entry.replace('/v1/', '/v2/')],
    ['a file beside it', `${entry}.tmp`],
    ['a line break after it', `${entry}\n`],
    ['a folder', entry.slice(0, entry.lastIndexOf('/') + 1)],
    ['a folder under it', `${entry}/x`],
    ['upper case', entry.toUpperCase()],
    ['upper-case digits', entry.replace(/-.*/, (whole) => whole.toUpperCase())],
    ['one digit less', entry.slice(0, -1)],
    ['one digit more', `${entry}0`],
    ['a letter that is no digit', entry.replace(/.$/, 'g')],
    ['a folder that is not of its source', entry.replace(/\/v1\/../, '/v1/zz')],
    ['another source in the same folder', entry.replace(/\/([0-9a-f]{2})([0-9a-f]{30}-)/, '/$1ff$2')],
    ['the reserved name', names.reserved],
    ['nothing', ''],
  ])('takes nothing else for one: %s', (_what, name) => {
    expect(name).not.toBe(entry);
    expect(names.isEntry(name)).toBe(false);
  });

  it('takes no source digits that contradict the folders', () => {
    const [folder = '', file = ''] = [entry.slice(0, -97), entry.slice(-97)];
    const turned = [...file].map((digit, index) => (index === 0 ? other(digit) : digit)).join('');
    expect(names.isEntry(folder + file)).toBe(true);
    expect(names.isEntry(folder + turned)).toBe(false);
  });

  it('is false for anything that was not made', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(names.isEntry(name)).toBe(false);
        expect(names.isEntry(`images/v1/${name}`)).toBe(false);
      }),
    );
  });
});

function other(digit: string): string {
  return digit === '0' ? '1' : '0';
}

describe('the path prefix', () => {
  it.each([
    ['', ''],
    ['/', ''],
    ['images', 'images/'],
    ['/images', 'images/'],
    ['images/', 'images/'],
    ['//a///b//', 'a/b/'],
    ['.hidden', '.hidden/'],
    ['...', '.../'],
    ['a..b', 'a..b/'],
    ["A-z_0.9!*'()@=+,:~", "A-z_0.9!*'()@=+,:~/"],
    ['x'.repeat(128), `${'x'.repeat(128)}/`],
    [`/${'x'.repeat(128)}/`, `${'x'.repeat(128)}/`],
  ])('%j is taken, and slashes too many are dropped', (given, root) => {
    expect(new CacheKeyBuilder({ prefix: given }).names.reserved).toBe(`${root}v1/check`);
  });

  it.each([
    ['..', '".." cannot be part of the path prefix'],
    ['../x', '".." cannot be part of the path prefix'],
    ['a/../b', '".." cannot be part of the path prefix'],
    ['a/.', '"." cannot be part of the path prefix'],
    ['C:\\images', '"C:\\\\images" cannot be part of the path prefix'],
    ['a b', '"a b" cannot be part of the path prefix'],
    [' a', '" a" cannot be part of the path prefix'],
    ['a%2F..', '"a%2F.." cannot be part of the path prefix'],
    ['a\0', '"a\\u0000" cannot be part of the path prefix'],
    ['a\n', '"a\\n" cannot be part of the path prefix'],
    ['bücher', '"bücher" cannot be part of the path prefix'],
    ['a?b', '"a?b" cannot be part of the path prefix'],
    ['x'.repeat(129), 'the path prefix has 129 characters, at most 128 are allowed'],
  ])('%j is refused, and the message names the part', (given, message) => {
    expect(() => new CacheKeyBuilder({ prefix: given })).toThrow(
      expect.objectContaining({
        code: 'ERR_CACHE_CONFIG',
        operation: 'configure',
        message: expect.stringContaining(message),
      }),
    );
  });

  it('never lets a name out of its root, whatever is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '.', '/', '\\', '%', ' ', ':', '~') }), (given) => {
        let name: string;
        try {
          name = new CacheKeyBuilder({ prefix: given }).build({ source: SOURCE }).name;
        } catch (error) {
          if (isCacheError(error)) return;
          throw error;
        }
        expect(isEntryName(name)).toBe(true);
        expect(path.posix.resolve('/root', name)).toBe(`/root/${name}`);
      }),
      { numRuns: 2000 },
    );
  });
});
