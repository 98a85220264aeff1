import { CacheKeyBuilder, type ImageIdentity } from '@imgproxy-cache/core';
import { describe, expect, it } from 'vitest';

describe('headers and cookies in the shapes that hosts have', () => {
  const keys = new CacheKeyBuilder({ headers: ['x-tenant', 'x-shop'], cookies: ['theme'] });
  const lines = [
    ['X-Tenant', 'a'],
    ['x-shop', 'b'],
    ['Cookie', 'theme=dark'],
  ] as const;
  const nameWith = (headers: ImageIdentity['headers']): string => keys.build({ source: 's', headers }).name;

  it('give one key: an array, a record, Headers, and an iterator that can be walked only once', () => {
    const once = function* (): Generator<readonly [string, string]> {
      yield* lines;
    };
    const names = [
      lines,
      Object.fromEntries(lines),
      new Headers(lines as unknown as [string, string][]),
      once(),
    ].map(nameWith);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).not.toBe(nameWith(lines.slice(0, 1)));
    expect(names[0]).not.toBe(nameWith(lines.slice(0, 2)));
  });
});
