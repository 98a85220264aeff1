import { CacheKeyBuilder, type ImageIdentity, type KeySettings } from '@imgproxy-cache/core';
import { describe, expect, it } from 'vitest';

const LONE = 'a\ud83d';
const SOURCE = 'https://example.com/cat.jpg';

describe('a lone surrogate, which would hash like any other, is refused', () => {
  it.each<[string, Partial<ImageIdentity>, KeySettings]>([
    ['the source', { source: LONE }, {}],
    ["an option's name", { options: [[LONE, '1']] }, {}],
    ["an option's value", { options: [['a', LONE]] }, {}],
    ['a pipeline', { options: { pipelines: [[], [['a', LONE]]] } }, {}],
    ['the format', { format: LONE }, {}],
    ['a header in the key', { headers: { 'x-a': ['b', LONE] } }, { headers: ['x-a'] }],
    ['a cookie in the key', { cookies: { a: LONE } }, { cookies: ['a'] }],
    ['the namespace', {}, { namespace: LONE }],
  ])('in %s', (_part, identity, settings) => {
    const keys = new CacheKeyBuilder(settings);
    expect(() => keys.build({ source: SOURCE, ...identity })).toThrow(TypeError);
    expect(() => keys.build({ source: SOURCE, ...identity })).toThrow(/lone surrogate.*bytes/);
  });

  it('in a source that is purged', () => {
    expect(() => new CacheKeyBuilder().sourcePrefix(LONE)).toThrow(/lone surrogate.*bytes/);
  });

  it('even where its other half begins the next part', () => {
    const [high, low] = '😀'.split('') as [string, string];
    expect(() => new CacheKeyBuilder().build({ source: SOURCE, options: [[high, low]] })).toThrow(TypeError);
  });

  it('and not in what is no part of the key', () => {
    const keys = new CacheKeyBuilder();
    expect(keys.build({ source: SOURCE, headers: { 'x-a': LONE }, cookies: { a: LONE } })).toEqual(
      keys.build({ source: SOURCE }),
    );
  });
});
