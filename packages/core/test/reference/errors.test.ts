import { CACHE_ERROR_CODES, CacheError, type CacheOperation } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { quoted, referencePage, tableOf } from './reference-pages.js';

const page = referencePage('errors');

// Every operation the type allows and no other, or this does not compile.
const OPERATIONS = Object.keys({
  get: true,
  put: true,
  delete: true,
  list: true,
  check: true,
  close: true,
  configure: true,
  fetch: true,
} satisfies Record<CacheOperation, true>);

describe('the page of errors', () => {
  it('has every code of the list, in its order, and whether it may be tried again', () => {
    const documented = tableOf(page, 'code').map(([code = '', retryable]) => [...quoted(code), retryable]);
    expect(documented).toEqual(
      CACHE_ERROR_CODES.map((code) => [code, new CacheError(code, '').retryable ? 'yes' : 'no']),
    );
  });

  it('names every property of an error and every operation', () => {
    const rows = new Map(tableOf(page, 'property').map(([property = '', text = '']) => [property, text]));
    const properties = Object.keys(new CacheError('ERR_CACHE_CLOSED', '', { cause: 1 })).filter(
      (property) => property !== 'name',
    );
    expect([...rows.keys()].flatMap(quoted).sort()).toEqual([...properties, 'cause', 'message'].sort());
    expect(quoted(rows.get('`operation`') ?? '')).toEqual(OPERATIONS);
  });
});
