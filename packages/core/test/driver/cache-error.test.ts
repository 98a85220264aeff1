import { CACHE_ERROR_CODES, CacheError, isCacheError } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';

/** The same module a second time, as a second installation of the package gives it. */
async function secondCopy(): Promise<typeof import('@imgproxy-cache/core/driver')> {
  return import(new URL('../../dist/driver/cache-error.js?second-copy', import.meta.url).href);
}

describe('CacheError', () => {
  it('says what failed, where, and whether to try again', () => {
    const cause = new Error('ECONNRESET');
    const error = new CacheError('ERR_CACHE_UNAVAILABLE', 'nobody answers', {
      driver: 'fs',
      operation: 'get',
      cause,
      failedNames: ['a'],
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'CacheError',
      code: 'ERR_CACHE_UNAVAILABLE',
      message: 'nobody answers',
      driver: 'fs',
      operation: 'get',
      retryable: true,
      failedNames: ['a'],
    });
    expect(error.cause).toBe(cause);
    expect(String(error)).toBe('CacheError: nobody answers');
  });

  it('has no cause, driver or operation where none is given', () => {
    const error = new CacheError('ERR_CACHE_CORRUPT', 'wrong');
    expect('cause' in error).toBe(false);
    expect(error).toMatchObject({ driver: undefined, operation: undefined, failedNames: undefined });
  });

  it('may be tried again when the store was away, late or full, unless its maker knows better', () => {
    const retryable = CACHE_ERROR_CODES.filter((code) => new CacheError(code, 'failed').retryable);
    expect(retryable).toEqual(['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT', 'ERR_CACHE_NO_SPACE']);
    for (const code of CACHE_ERROR_CODES) {
      for (const known of [true, false]) {
        expect(new CacheError(code, 'failed', { retryable: known }).retryable).toBe(known);
      }
    }
  });
});

describe('isCacheError', () => {
  it.each(CACHE_ERROR_CODES)('knows %s of this and of another copy of core', async (code) => {
    const other = await secondCopy();
    const foreign: unknown = new other.CacheError(code, 'failed');
    expect(other.CacheError).not.toBe(CacheError);
    expect(foreign).not.toBeInstanceOf(CacheError);
    expect(isCacheError(foreign)).toBe(true);
    expect(isCacheError(new CacheError(code, 'failed'))).toBe(true);
    expect(other.isCacheError(new CacheError(code, 'failed'))).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'ERR_CACHE_TIMEOUT'],
    ['any error', new Error('ERR_CACHE_TIMEOUT')],
    ['an error with such a code', Object.assign(new Error('late'), { code: 'ERR_CACHE_TIMEOUT' })],
    ['an error of that name without a code', Object.assign(new Error('late'), { name: 'CacheError' })],
    [
      'an error of that name with a code that is none of the list',
      Object.assign(new Error('late'), { name: 'CacheError', code: 'ERR_CACHE_LATE' }),
    ],
    ['a record that looks like one', { name: 'CacheError', code: 'ERR_CACHE_TIMEOUT', message: 'late' }],
  ])('takes nothing else for one: %s', (_what, value) => {
    expect(isCacheError(value)).toBe(false);
  });
});
