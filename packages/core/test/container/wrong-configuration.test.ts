import { type CacheOptions, createImageCache } from '@imgproxy-cache/core';
import {
  type CacheDriverDefinition,
  type CacheErrorCode,
  defineCacheDriver,
} from '@imgproxy-cache/core/driver';
import memory, { MemoryDriver } from '@imgproxy-cache/memory';
import { describe, expect, it } from 'vitest';
import { driverPackage, folderWith, type InstalledPackage } from './installed-packages.js';

/** A driver with a root that only it can judge, and a key that nobody may see. */
const VAULT = defineCacheDriver({
  name: 'vault',
  contract: 1,
  config: {
    root: {
      variable: 'IMGPROXY_CACHE_VAULT_ROOT',
      type: 'string',
      default: '',
      required: true,
      doc: 'An existing folder.',
    },
    keyBits: {
      variable: 'IMGPROXY_CACHE_VAULT_KEY_BITS',
      type: 'integer',
      default: 256,
      secret: true,
      max: 512,
      doc: 'A secret.',
    },
  },
  capabilities: { shared: true },
  validate: async ({ root }) =>
    root === '/vault'
      ? []
      : [
          {
            variable: 'IMGPROXY_CACHE_VAULT_ROOT',
            message: `is ${JSON.stringify(root)}, which is not a folder: mount the disk or name another folder`,
          },
        ],
  create: () => new MemoryDriver(),
});

const DRIVERS: readonly CacheDriverDefinition[] = [memory, VAULT, { ...memory, name: 'future', contract: 2 }];

const MEMORY = { IMGPROXY_CACHE_USE: 'memory' };
const VAULTED = { IMGPROXY_CACHE_USE: 'vault', IMGPROXY_CACHE_VAULT_ROOT: '/vault' };

async function failure(options: CacheOptions): Promise<{ code: CacheErrorCode; message: string }> {
  const { code, message } = await createImageCache({ drivers: DRIVERS, ...options }).then(
    async (cache) => {
      await cache.close();
      throw new Error('the cache started');
    },
    (error) => error as { code: CacheErrorCode; message: string },
  );
  return { code, message };
}

describe('a wrong variable stops the start and says what to do', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'an empty name among several drivers',
      { IMGPROXY_CACHE_USE: 'memory,,s3' },
      'IMGPROXY_CACHE_USE is "memory,,s3", allowed are names of drivers, separated by commas: a letter, then letters, digits and dashes',
    ],
    [
      'a driver that is named twice',
      { IMGPROXY_CACHE_USE: 'memory, foo,MEMORY' },
      'IMGPROXY_CACHE_USE is "memory, foo,MEMORY", which names memory twice',
    ],
    ...['../x', './x', '/x', 'node:fs', 's_3', ' memory', 'memory ', '3s', '-s', '@scope/x', 's.3', 'é'].map(
      (name): [string, Readonly<Record<string, string>>, string] => [
        `a driver named ${name}`,
        { IMGPROXY_CACHE_USE: name },
        `IMGPROXY_CACHE_USE is ${JSON.stringify(name)}, allowed are names of drivers, separated by commas: a letter, then letters, digits and dashes`,
      ],
    ),
    [
      'a boolean in other words',
      { ...MEMORY, IMGPROXY_CACHE_REPORT_ERRORS: 'yes' },
      'IMGPROXY_CACHE_REPORT_ERRORS is "yes", allowed is true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
    ],
    [
      'an integer with a unit',
      { ...MEMORY, IMGPROXY_CACHE_MAX_ENTRY_SIZE: '32MB' },
      'IMGPROXY_CACHE_MAX_ENTRY_SIZE is "32MB", allowed is a whole number from 1 up to 9007199254740991, without blanks or a unit',
    ],
    [
      'an integer out of its limits',
      { ...MEMORY, IMGPROXY_CACHE_STORE_CONCURRENCY: '0' },
      'IMGPROXY_CACHE_STORE_CONCURRENCY is "0", allowed is a whole number from 1 up to 1000, without blanks or a unit',
    ],
    [
      'a decimal out of its limits',
      { ...MEMORY, IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0' },
      'IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS is "0", allowed is a decimal number from 0.001 up to 3600, without blanks or a unit',
    ],
    [
      "a variable of the driver's",
      { ...MEMORY, IMGPROXY_CACHE_MEMORY_MAX_ENTRIES: '10k' },
      'IMGPROXY_CACHE_MEMORY_MAX_ENTRIES is "10k", allowed is a whole number from 1 up to 10000000, without blanks or a unit',
    ],
    [
      'a prefix that leaves its root',
      { ...MEMORY, IMGPROXY_CACHE_PATH_PREFIX: 'a/../../b' },
      `IMGPROXY_CACHE_PATH_PREFIX is wrong: ".." cannot be part of the path prefix: use letters, digits and !_.*'()@=+,:~- between slashes, and neither "." nor ".."`,
    ],
    [
      'a prefix that is too long',
      { ...MEMORY, IMGPROXY_CACHE_PATH_PREFIX: 'a'.repeat(129) },
      'IMGPROXY_CACHE_PATH_PREFIX is wrong: the path prefix has 129 characters, at most 128 are allowed',
    ],
    [
      'a required variable that is absent',
      { IMGPROXY_CACHE_USE: 'vault' },
      'IMGPROXY_CACHE_VAULT_ROOT is required and blank: An existing folder.',
    ],
    [
      'a required variable that is blank',
      { IMGPROXY_CACHE_USE: 'vault', IMGPROXY_CACHE_VAULT_ROOT: ' \t' },
      'IMGPROXY_CACHE_VAULT_ROOT is required and blank: An existing folder.',
    ],
    [
      'a value that only the driver can judge',
      { IMGPROXY_CACHE_USE: 'vault', IMGPROXY_CACHE_VAULT_ROOT: '/nowhere' },
      'IMGPROXY_CACHE_VAULT_ROOT is "/nowhere", which is not a folder: mount the disk or name another folder',
    ],
    [
      'a secret, which is not shown',
      { ...VAULTED, IMGPROXY_CACHE_VAULT_KEY_BITS: 'hunter2' },
      'IMGPROXY_CACHE_VAULT_KEY_BITS is a value that is not shown, allowed is a whole number up to 512, without blanks or a unit',
    ],
    [
      'a secret out of its limits, which is not shown either',
      { ...VAULTED, IMGPROXY_CACHE_VAULT_KEY_BITS: '1337' },
      'IMGPROXY_CACHE_VAULT_KEY_BITS is a value that is not shown, allowed is a whole number up to 512, without blanks or a unit',
    ],
    [
      'a wrong variable while the cache is off',
      { IMGPROXY_CACHE_REPORT_ERRORS: 'no' },
      'IMGPROXY_CACHE_REPORT_ERRORS is "no", allowed is true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
    ],
  ])('%s', async (_what, env, line) => {
    expect(await failure({ env })).toEqual({
      code: 'ERR_CACHE_CONFIG',
      message: `the configuration of the cache is wrong:\n- ${line}`,
    });
  });

  it('all wrong ones at once, the driver and its variables included', async () => {
    const { code, message } = await failure({
      env: {
        IMGPROXY_CACHE_USE: 'vault',
        IMGPROXY_CACHE_VAULT_KEY_BITS: 'hunter2',
        IMGPROXY_CACHE_REPORT_ERRORS: 'maybe',
        IMGPROXY_CACHE_PATH_PREFIX: 'a b',
      },
    });
    expect(code).toBe('ERR_CACHE_CONFIG');
    expect(message.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'the configuration',
      '- IMGPROXY_CACHE_REPORT_ERRORS',
      '- IMGPROXY_CACHE_PATH_PREFIX',
      '- IMGPROXY_CACHE_VAULT_ROOT',
      '- IMGPROXY_CACHE_VAULT_KEY_BITS',
    ]);
    expect(message).not.toContain('hunter2');
  });

  it('a driver that is not installed, among other faults', async () => {
    const folder = await folderWith({});
    const { code, message } = await failure({
      env: { IMGPROXY_CACHE_USE: 'redis', IMGPROXY_CACHE_REPORT_ERRORS: 'maybe' },
      resolveFrom: folder,
    });
    expect(code).toBe('ERR_CACHE_CONFIG');
    expect(message.split('\n')).toEqual([
      'the configuration of the cache is wrong:',
      '- IMGPROXY_CACHE_REPORT_ERRORS is "maybe", allowed is true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
      `- IMGPROXY_CACHE_USE is "redis": no driver named redis is installed in ${folder}: run "npm install @imgproxy-cache/redis", or install the third party's imgproxy-cache-driver-redis. Available: future, memory, vault`,
    ]);
  });
});

const NO_DRIVER =
  'the package @imgproxy-cache/foo does not export a driver named foo by default: see defineCacheDriver';

describe('a driver that cannot be used stops the start and says what to do', () => {
  it('one that is not installed', async () => {
    const folder = await folderWith({});
    expect(await failure({ env: { IMGPROXY_CACHE_USE: 'redis' }, resolveFrom: folder })).toEqual({
      code: 'ERR_CACHE_DRIVER_NOT_FOUND',
      message: `no driver named redis is installed in ${folder}: run "npm install @imgproxy-cache/redis", or install the third party's imgproxy-cache-driver-redis. Available: future, memory, vault`,
    });
  });

  it.each<[string, string, string]>([
    ['one letter too many', 'fss', 'is fs meant? Available: foo, fs, mine'],
    [
      'two letters interchanged',
      'memroy',
      'is memory meant? It comes with "npm install @imgproxy-cache/memory". Available: foo, fs, mine',
    ],
    ["a letter of a third party's missing", 'min', 'is mine meant? Available: foo, fs, mine'],
    [
      "another of imgproxy's",
      'gcs',
      'run "npm install @imgproxy-cache/gcs", or install the third party\'s imgproxy-cache-driver-gcs. Available: foo, fs, mine',
    ],
    [
      'a name like none',
      'redis',
      'run "npm install @imgproxy-cache/redis", or install the third party\'s imgproxy-cache-driver-redis. Available: foo, fs, mine',
    ],
  ])('a misspelt one, with what there is: %s', async (_what, use, advice) => {
    const folder = await folderWith({
      '@imgproxy-cache/fs': driverPackage('fs'),
      '@imgproxy-cache/url': { files: { 'index.js': 'export {};' } },
      'imgproxy-cache-driver-mine': driverPackage('mine'),
    });
    const drivers = [{ ...memory, name: 'foo' }];
    expect(await failure({ env: { IMGPROXY_CACHE_USE: use }, drivers, resolveFrom: folder })).toEqual({
      code: 'ERR_CACHE_DRIVER_NOT_FOUND',
      message: `no driver named ${use} is installed in ${folder}: ${advice}`,
    });
  });

  it('one of another contract version', async () => {
    expect(await failure({ env: { IMGPROXY_CACHE_USE: 'future' } })).toEqual({
      code: 'ERR_CACHE_DRIVER_CONTRACT',
      message:
        'the driver that was passed in speaks version 2 of the driver contract and this version of @imgproxy-cache/core speaks 1: install versions of both that belong together',
    });
  });

  it.each<[string, InstalledPackage, string]>([
    [
      'a package of another contract version',
      driverPackage('foo', { contract: 9 }),
      'the package @imgproxy-cache/foo speaks version 9 of the driver contract and this version of @imgproxy-cache/core speaks 1: install versions of both that belong together',
    ],
    [
      'a package that throws while it is loaded',
      { files: { 'index.js': 'throw new TypeError("no engine for this platform");' } },
      'the package @imgproxy-cache/foo is installed and failed while it was loaded: TypeError: no engine for this platform',
    ],
    ['a package without a default export', { files: { 'index.js': 'export const foo = 1;' } }, NO_DRIVER],
    [
      'a package that exports something else',
      { files: { 'index.js': 'export default () => "foo";' } },
      NO_DRIVER,
    ],
    ['a package that exports nothing', { files: { 'index.js': 'export default null;' } }, NO_DRIVER],
    ["a package with another driver's name", driverPackage('bar'), NO_DRIVER],
    [
      'a package without a table of variables',
      { files: { 'index.js': 'export default { name: "foo", contract: 1, config: null, create() {} };' } },
      NO_DRIVER,
    ],
    [
      'a package that does not say what its store can do',
      { files: { 'index.js': 'export default { name: "foo", contract: 1, config: {}, create() {} };' } },
      NO_DRIVER,
    ],
    [
      'a package that can only be imported',
      { manifest: { exports: { import: './index.js' } }, files: { 'index.js': 'export default 1;' } },
      'the package @imgproxy-cache/foo is installed and cannot be resolved: its "exports" need a "default" condition',
    ],
  ])('%s', async (_what, installed, message) => {
    const folder = await folderWith({ '@imgproxy-cache/foo': installed });
    expect(await failure({ env: { IMGPROXY_CACHE_USE: 'foo' }, resolveFrom: folder })).toEqual({
      code: 'ERR_CACHE_DRIVER_CONTRACT',
      message,
    });
  });

  it('names the package that is broken rather than trying the next one', async () => {
    const folder = await folderWith({
      '@imgproxy-cache/foo': { files: { 'index.js': 'export {};' } },
      'imgproxy-cache-driver-foo': driverPackage('foo'),
    });
    expect((await failure({ env: { IMGPROXY_CACHE_USE: 'foo' }, resolveFrom: folder })).message).toBe(
      NO_DRIVER,
    );
  });
});
