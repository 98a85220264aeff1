import { CacheKeyBuilder } from '@imgproxy-cache/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const SOURCE = 'https://example.com/cat.jpg';
const NAMES = ['a', 'b', 'c', 'A', '__proto__'];

/** The key of a request with these cookies, if all of `names` are part of it. */
function keyOf(cookies: string | Readonly<Record<string, string>>, names = NAMES): string {
  return new CacheKeyBuilder({ cookies: names }).build({ source: SOURCE, cookies }).name;
}

describe('a Cookie header', () => {
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['nothing', '', {}],
    ['one cookie', 'a=1', { a: '1' }],
    ['cookies as browsers separate them', 'a=1; b=2', { a: '1', b: '2' }],
    ['separators without a blank, and with several', 'a=1;b=2;  \tc=3', { a: '1', b: '2', c: '3' }],
    ['blanks around name and value', ' a \t= 1 ', { a: '1' }],
    ['blanks inside a value', 'a=1 2', { a: '1 2' }],
    ['quotes, which belong to the value', 'a="1"', { a: '"1"' }],
    ['a semicolon in quotes, which still separates', 'a="1;2"', { a: '"1' }],
    ['escapes, which nobody decodes', 'a=%20%3B', { a: '%20%3B' }],
    ['"=" in a value', 'a=b=c==', { a: 'b=c==' }],
    ['an empty value', 'a=', { a: '' }],
    ['a value without a name', '=1', {}],
    ['a piece without "="', 'a', {}],
    ['empty pieces', ';; a=1 ; ;=;', { a: '1' }],
    ['names in two cases, which are two', 'a=1; A=2', { a: '1', A: '2' }],
    ['white space that is no blank, which belongs to the value', 'a=\u00a01\v', { a: '\u00a01\v' }],
    ['a name from the prototype', '__proto__=1', Object.fromEntries([['__proto__', '1']])],
  ])('is read as it was sent: %s', (_what, header, cookies) => {
    expect(keyOf(header)).toBe(keyOf(cookies));
  });

  it('keeps the order of a repeated name', () => {
    expect(keyOf('a=2; b=3; a=1')).toBe(keyOf('b=3; a=2; a=1'));
    expect(keyOf('a=2; a=1')).not.toBe(keyOf('a=1; a=2'));
    expect(keyOf('a=2; a=1')).not.toBe(keyOf('a=2'));
  });

  it('gives back every cookie that can be sent', () => {
    const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
    const value = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,8}$/);
    const cookies = fc.uniqueArray(fc.tuple(name, value), { maxLength: 5, selector: ([own]) => own });
    fc.assert(
      fc.property(cookies, (sent) => {
        const names = sent.map(([own]) => own);
        const header = sent.map((cookie) => cookie.join('=')).join('; ');
        expect(keyOf(header, names)).toBe(keyOf(Object.fromEntries(sent), names));
      }),
    );
  });

  it('is taken from the headers, unless the cookies are given', () => {
    const keys = new CacheKeyBuilder({ cookies: ['plan'] });
    const source = SOURCE;
    const gold = keys.build({ source, cookies: { plan: 'gold' } });
    expect(keys.build({ source, cookies: 'theme=dark; plan=gold' })).toEqual(gold);
    expect(keys.build({ source, headers: { Cookie: 'theme=dark; plan=gold' } })).toEqual(gold);
    expect(keys.build({ source, headers: { cookie: ['theme=dark', 'plan=gold'] } })).toEqual(gold);
    expect(keys.build({ source, headers: new Headers({ cookie: 'plan=gold' }) })).toEqual(gold);
    expect(keys.build({ source, headers: { accept: '*/*' }, cookies: 'plan=gold' })).toEqual(gold);
    expect(keys.build({ source, headers: { cookie: 'plan=gold' }, cookies: { plan: 'gold' } })).toEqual(gold);
  });
});
