import { CacheKeyBuilder, type ImageIdentity, type KeySettings } from '@imgproxy-cache/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyInput, nameOf, text } from './identities.js';

const SOURCE = 'https://example.com/cat.jpg';

describe('the same image has the same key', () => {
  it('with its source as a string or as its bytes in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (source) => {
        const keys = new CacheKeyBuilder();
        const whole = Buffer.from(`before${source}after`);
        expect(keys.build({ source: Buffer.from(source) })).toEqual(keys.build({ source }));
        const view = new Uint8Array(whole.buffer, whole.byteOffset + 6, whole.length - 11);
        expect(keys.build({ source: view })).toEqual(keys.build({ source }));
      }),
    );
  });

  it('with names of headers in any case, in the request and in the settings', () => {
    fc.assert(
      fc.property(
        fc.mixedCase(fc.constant('x-tenant')),
        fc.mixedCase(fc.constant('x-tenant')),
        text,
        (a, b, value) => {
          expect(
            nameOf({ settings: { headers: [a] }, identity: { source: SOURCE, headers: { [b]: value } } }),
          ).toBe(
            nameOf({
              settings: { headers: ['x-tenant'] },
              identity: { source: SOURCE, headers: { 'x-tenant': value } },
            }),
          );
        },
      ),
    );
  });

  it('with negotiated formats in any order and number', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['avif', 'jxl', 'webp'] as const), (negotiated) => {
        const keys = new CacheKeyBuilder();
        const straight = keys.build({ source: SOURCE, negotiated: [...negotiated].sort() });
        expect(keys.build({ source: SOURCE, negotiated })).toEqual(straight);
        expect(keys.build({ source: SOURCE, negotiated: [...negotiated, ...negotiated] })).toEqual(straight);
      }),
    );
  });

  it('with `expires` anywhere among its options or nowhere, in a pipeline too', () => {
    const options = fc.array(fc.tuple(fc.constantFrom<string>('width', 'height', 'cachebuster'), text), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(options, text, fc.nat(4), (pairs, moment, position) => {
        const keys = new CacheKeyBuilder();
        const expiring = pairs.toSpliced(Math.min(position, pairs.length), 0, ['expires', moment]);
        expect(keys.build({ source: SOURCE, options: expiring })).toEqual(
          keys.build({ source: SOURCE, options: pairs }),
        );
        expect(keys.build({ source: SOURCE, options: { pipelines: [pairs, expiring] } })).toEqual(
          keys.build({ source: SOURCE, options: { pipelines: [pairs, pairs] } }),
        );
      }),
    );
  });

  it('whatever headers and cookies it has that are not in the key', () => {
    fc.assert(
      fc.property(
        keyInput,
        fc.dictionary(fc.constantFrom('etag', 'x-other', 'cookie'), text),
        (input, others) => {
          const headers = { ...input.identity.headers, ...others };
          const settings: KeySettings = { ...input.settings, cookies: [] };
          expect(nameOf({ settings, identity: { ...input.identity, headers, cookies: others } })).toBe(
            nameOf({ settings, identity: input.identity }),
          );
        },
      ),
    );
  });

  it.each<[string, KeySettings, KeySettings]>([
    ['a header listed twice, in two cases', { headers: ['Accept', 'accept'] }, { headers: ['accept'] }],
    ['a cookie listed twice', { cookies: ['a', 'a'] }, { cookies: ['a'] }],
    ['empty items of lists', { headers: ['', 'accept', ''], cookies: [''] }, { headers: ['accept'] }],
    ['settings that are blank and absent', { prefix: '', namespace: '', headers: [], cookies: [] }, {}],
  ])('under settings that mean the same: %s', (_what, left, right) => {
    const identity: ImageIdentity = {
      source: SOURCE,
      headers: { accept: 'image/webp' },
      cookies: { a: '1' },
    };
    expect(nameOf({ settings: left, identity })).toBe(nameOf({ settings: right, identity }));
  });

  it.each<[string, ImageIdentity['headers']]>([
    ["as Node's headers", { 'x-tenant': 'blue', accept: '*/*', 'x-lines': undefined }],
    ["as the Fetch API's", new Headers({ 'X-Tenant': 'blue', Accept: '*/*' })],
    [
      'as pairs',
      [
        ['Accept', '*/*'],
        ['X-Tenant', 'blue'],
      ],
    ],
    ['as a map', new Map([['X-Tenant', 'blue']])],
    ['as one line in a list', { 'X-Tenant': ['blue'] }],
  ])('with its headers in any shape: %s', (_what, headers) => {
    const keys = new CacheKeyBuilder({ headers: ['x-tenant', 'x-lines'] });
    expect(keys.build({ source: SOURCE, headers })).toEqual(
      keys.build({ source: SOURCE, headers: { 'x-tenant': 'blue' } }),
    );
  });

  it('with several lines of a header as a list or as repeated pairs', () => {
    const keys = new CacheKeyBuilder({ headers: ['x-tenant'] });
    expect(
      keys.build({
        source: SOURCE,
        headers: [
          ['x-tenant', 'blue'],
          ['x-other', 'red'],
          ['X-Tenant', 'green'],
        ],
      }),
    ).toEqual(keys.build({ source: SOURCE, headers: { 'x-tenant': ['blue', 'green'] } }));
  });

  it('today and in every later version: the names of generation v1 do not change', () => {
    const keys = new CacheKeyBuilder({
      prefix: 'images',
      namespace: 'q80',
      headers: ['x-tenant'],
      cookies: ['plan'],
    });
    const { name } = keys.build({
      source: SOURCE,
      options: [
        ['width', '300'],
        ['expires', '1893456000'],
      ],
      format: 'webp',
      negotiated: ['webp', 'avif'],
      headers: { 'X-Tenant': 'blue', cookie: 'plan=gold; theme=dark' },
    });
    expect(name).toBe(
      'images/v1/77/74/777460dbe029a0d171d01bdff9684f5c-d80ece630c224f92de4bdb2e8fdda1b90082ea0d1a1da0c24b34948e772a6eee',
    );
  });
});
