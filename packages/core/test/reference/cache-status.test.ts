import { CacheStatus, type CacheStatusDetail } from '@imgproxy-cache/core';
import type { CacheErrorCode } from '@imgproxy-cache/core/driver';
import { describe, expect, it } from 'vitest';
import { quoted, referencePage, tableOf } from './reference-pages.js';

// Every detail the type allows and no other, or this does not compile.
const DETAILS = Object.keys({
  queued: true,
  pending: true,
  expired: true,
  unreadable: true,
  'too-large': true,
  'queue-full': true,
  'bytes-in-flight': true,
  'not-storable': true,
  'not-accepted': true,
  metadata: true,
  invalidated: true,
  'newer-format': true,
  'breaker-open': true,
  'lookup-failed': true,
  closed: true,
  off: true,
} satisfies Record<Exclude<CacheStatusDetail, CacheErrorCode>, true>);

const page = referencePage('cache-status');

describe('the page of Cache-Status', () => {
  it('has every detail of the code, and no other', () => {
    const documented = tableOf(page, 'detail').map(([cell = '']) => cell);
    expect(documented.at(-1)).toBe('an [error code](errors.md)');
    expect(documented.slice(0, -1).flatMap(quoted).sort()).toEqual([...DETAILS].sort());
  });

  it('has only values that the code writes', () => {
    const values = tableOf(page, 'value').flatMap(([cell = '']) => quoted(cell));
    const written = [
      CacheStatus.of({ hit: true }),
      CacheStatus.of({ hit: true, tier: 'memory' }),
      CacheStatus.of({ hit: true, detail: 'pending' }),
      CacheStatus.of({ forward: 'miss', stored: true }),
      CacheStatus.of({ forward: 'miss', detail: 'queued' }),
      CacheStatus.of({ forward: 'miss' }),
      CacheStatus.of({ forward: 'miss', collapsed: true }),
      CacheStatus.of({ forward: 'miss', detail: '…' as CacheStatusDetail }),
      CacheStatus.of({ forward: 'miss', stored: true, detail: '…' as CacheStatusDetail }),
      CacheStatus.of({ forward: 'bypass' }),
      CacheStatus.of({ forward: 'bypass', detail: '…' as CacheStatusDetail }),
    ].map(String);
    expect(values).toEqual(written);
  });
});
