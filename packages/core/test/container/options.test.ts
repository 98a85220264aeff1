import { cacheModule, createImageCache } from '@imgproxy-cache/core';
import memory from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';

type Given = Readonly<Record<string, unknown>>;

describe('the options of a cache', () => {
  it('may be undefined', async () => {
    const options = { env: undefined, drivers: undefined, resolveFrom: undefined, logger: undefined };
    await using cache = await createImageCache(options);
    expect(cache.health()).toEqual({ status: 'off' });
    await cacheModule({ env: undefined, drivers: undefined, resolveFrom: undefined });
  });

  it.each<[string, Given, RegExp]>([
    ['a file instead of the environment', { env: '.env' }, /^env must be a record of variables/],
    ['no environment', { env: null }, /^env must be a record of variables/],
    [
      'one driver instead of an array',
      { drivers: memory },
      /^drivers must be an array of drivers' definitions/,
    ],
    ['a driver that was not imported', { drivers: [undefined] }, /^drivers must be an array/],
    ["a driver's name", { drivers: ['memory'] }, /^drivers must be an array/],
    ["a driver's module instead of its default export", { drivers: [{ default: memory }] }, /default export/],
    [
      'a URL of no file',
      { resolveFrom: new URL('https://example.com/') },
      /^resolveFrom must be a file: URL/,
    ],
    ['a number instead of a folder', { resolveFrom: 5 }, /^resolveFrom must be a file: URL/],
    ['a function instead of a logger', { logger: () => undefined }, /^logger must have the functions debug/],
    ['a logger that lacks a level', { logger: { info() {}, warn() {}, error() {} } }, /^logger must have/],
    ['no logger', { logger: null }, /^logger must have/],
  ])('are refused with a word where they are %s', async (_what, options, message) => {
    const given = { env: { IMGPROXY_CACHE_USE: 'memory' }, ...options };
    const refusal = await createImageCache(given).catch((error) => error);
    expect(refusal).toBeInstanceOf(TypeError);
    expect(refusal.message).toMatch(message);
  });
});
