import { createImageCache, type Environment } from '@imgproxy-cache/core';
import { defineCacheDriver } from '@imgproxy-cache/core/driver';
import { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';

const DRIVERS = ['foo', 'two-words'].map((name) =>
  defineCacheDriver({
    name,
    contract: 1,
    config: {
      region: {
        variable: `IMGPROXY_CACHE_${name.toUpperCase().replace('-', '_')}_REGION`,
        type: 'string',
        default: '',
        doc: 'Where it is.',
      },
      maxSize: {
        variable: `IMGPROXY_CACHE_${name.toUpperCase().replace('-', '_')}_MAX_SIZE`,
        type: 'integer',
        default: 0,
        doc: 'How much it holds.',
      },
    },
    capabilities: { shared: false },
    create: () => new MemoryDriver(),
  }),
);

async function warnings(env: Environment): Promise<string[]> {
  const logged: string[] = [];
  const note = (_fields: object, message: string): void => void logged.push(message);
  const cache = await createImageCache({
    env,
    drivers: DRIVERS,
    logger: { debug: note, info: note, warn: note, error: note },
  });
  await cache.close();
  return logged;
}

const FOO = { IMGPROXY_CACHE_USE: 'foo' };

describe('a variable that is probably misspelt', () => {
  it.each<[string, Environment, string]>([
    ['IMGPROXY_CACHE_KEY_HEADER', FOO, 'IMGPROXY_CACHE_KEY_HEADERS'],
    ['IMGPROXY_CACHE_PATHPREFIX', FOO, 'IMGPROXY_CACHE_PATH_PREFIX'],
    ['IMGPROXY_CACHE_REPORT_EROR', FOO, 'IMGPROXY_CACHE_REPORT_ERRORS'],
    ['IMGPROXY_CACHE_BUKCET', {}, 'IMGPROXY_CACHE_BUCKET'],
    ['IMGPROXY_CACHE_FOO_REGOIN', FOO, 'IMGPROXY_CACHE_FOO_REGION'],
    ['IMGPROXY_CACHE_FOO_NOTHING_LIKE_IT', FOO, 'IMGPROXY_CACHE_FOO_MAX_SIZE'],
    ['IMGPROXY_CACHE_MAX_SIZE', FOO, 'IMGPROXY_CACHE_FOO_MAX_SIZE'],
    ['IMGPROXY_CACHE_REGION', FOO, 'IMGPROXY_CACHE_FOO_REGION'],
    ['IMGPROXY_CACHE_MAX_SIZE', {}, 'IMGPROXY_CACHE_MAX_ENTRY_SIZE'],
    ['IMGPROXY_CACHE_TTL', FOO, 'IMGPROXY_CACHE_TTL_SECONDS'],
    ['IMGPROXY_CACHE_PREFIX', FOO, 'IMGPROXY_CACHE_PATH_PREFIX'],
    [
      'IMGPROXY_CACHE_MAX_SIZE',
      { IMGPROXY_CACHE_USE: 'foo,two-words' },
      'IMGPROXY_CACHE_FOO_MAX_SIZE or IMGPROXY_CACHE_TWO_WORDS_MAX_SIZE',
    ],
    ['IMGPROXY_CACHE_TWO_WORDS_RGN', { IMGPROXY_CACHE_USE: 'two-words' }, 'IMGPROXY_CACHE_TWO_WORDS_REGION'],
  ])('%s is reported with the nearest right name', async (variable, env, nearest) => {
    expect(await warnings({ ...env, [variable]: 'given' })).toEqual([
      `${variable} is set and means nothing: is ${nearest} meant?`,
    ]);
  });

  it('is reported with every other one, and its value is not', async () => {
    const logged = await warnings({
      ...FOO,
      IMGPROXY_CACHE_BUKCET: 'hunter2',
      IMGPROXY_CACHE_FOO_REGOIN: 'hunter3',
    });
    expect(logged).toHaveLength(2);
    expect(logged.join()).not.toContain('hunter');
  });
});

it('is reported beside the faults that it may have caused', async () => {
  const env = { ...FOO, IMGPROXY_CACHE_FOO_MAX_SIZE: 'abc', IMGPROXY_CACHE_BUKCET: 'hunter2' };
  await expect(createImageCache({ env, drivers: DRIVERS })).rejects.toMatchObject({
    code: 'ERR_CACHE_CONFIG',
    message: [
      'the configuration of the cache is wrong:',
      '- IMGPROXY_CACHE_FOO_MAX_SIZE is "abc", allowed is a whole number up to 9007199254740991, without blanks or a unit',
      '- IMGPROXY_CACHE_BUKCET is set and means nothing: is IMGPROXY_CACHE_BUCKET meant?',
    ].join('\n'),
  });
});

describe('a variable that is left alone', () => {
  it.each<[string, string, Environment]>([
    ['a right one', 'IMGPROXY_CACHE_FOO_REGION', FOO],
    ["a right one of core's", 'IMGPROXY_CACHE_KEY_NAMESPACE', {}],
    ["one of imgproxy's that has nothing to do with us", 'IMGPROXY_CACHE_CONTROL_PASSTHROUGH', FOO],
    ["one of imgproxy Pro's", 'IMGPROXY_CACHE_TAGS_FORMAT', FOO],
    ["one of another driver of imgproxy's", 'IMGPROXY_CACHE_S3_ENDPOINT_USE_PATH_STYLE', FOO],
    ["one of imgproxy's drivers, with the cache off", 'IMGPROXY_CACHE_SWIFT_TIMEOUT_SECONDS', {}],
    ["one of a third party's driver that is not in use", 'IMGPROXY_CACHE_REDIS_URL', FOO],
    ['a misspelt one of a driver that is not in use', 'IMGPROXY_CACHE_TWO_WORDS_REGOIN', FOO],
    [
      "one of a driver's that is not in use, with the words of another's",
      'IMGPROXY_CACHE_VAULT_MAX_SIZE',
      FOO,
    ],
    ['one that begins like no cache variable', 'IMGPROXY_CACHEX', FOO],
    ["one of imgproxy's without our beginning", 'IMGPROXY_ALLOW_BYPASS_CACHE', FOO],
    ['one in lower case', 'imgproxy_cache_bukcet', FOO],
  ])('%s: %s', async (_what, variable, env) => {
    expect(await warnings({ ...env, [variable]: 'given' })).toEqual([]);
  });
});
