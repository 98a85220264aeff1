import { Readable } from 'node:stream';
import type { Rendering } from '@imgproxy-cache/core';
import { CacheError } from '@imgproxy-cache/core/driver';
import { answerFailure, HttpError } from '@imgproxy-cache/http';
import { describe, expect, test, vi } from 'vitest';
import { bytesOf, Host } from './host.js';

describe.each(['node', 'fetch'] as const)('adapter %s', (adapter) => {
  test.each([
    ['/missing', 404, 'Source is unreachable'],
    ['/broken', 500, 'Internal Server Error'],
    ['/type-error', 500, 'Internal Server Error'],
    ['/breaks-off', 500, 'Internal Server Error'],
  ])('%s is answered with %i, which nobody keeps', async (path, status, body) => {
    await using host = await Host.start({ adapter });
    const received = await host.ask(path);
    expect([received.status, String(received.body)]).toEqual([status, body]);
    expect(received.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(body.length),
      'x-content-type-options': 'nosniff',
    });
    expect(received.headers).not.toHaveProperty('etag');
    expect(host.errors).toEqual([{ error: expect.any(Error), status }]);
    const head = await host.ask(path, {}, 'HEAD');
    expect([head.status, head.body.length]).toEqual([status, 0]);
  });

  test('a request that the cache cannot take is answered with 400', async () => {
    await using host = await Host.start({ adapter, image: { source: 'lone \ud800' } });
    const received = await host.ask('/100');
    expect([received.status, String(received.body)]).toEqual([400, 'Bad Request']);
    expect(host.renders).toBe(0);
  });

  test.each([
    ['nothing', undefined],
    ['text as a body', { body: 'abc', contentType: 'image/png' }],
    ['no type', { body: bytesOf('/100') }],
    ['a type that no header may have', { body: bytesOf('/100'), contentType: 'image/png\r\nX: 1' }],
    ['a blank type', { body: bytesOf('/100'), contentType: '' }],
    ['a stream of text', { body: Readable.from(['abc']), contentType: 'image/png' }],
  ])('a renderer that gives %s is a fault of the host', async (_, rendering) => {
    await using host = await Host.start({ adapter, render: () => rendering as Rendering });
    const received = await host.ask('/100');
    expect([received.status, received.headers['cache-control']]).toEqual([500, 'no-store']);
    expect(host.errors).toEqual([{ error: expect.any(Error), status: 500 }]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('from onError');
      },
    ],
    ['rejects', () => Promise.reject(new Error('from onError'))],
  ])('an onError that %s changes no answer', async (_, onError) => {
    await using host = await Host.start({ adapter, settings: { onError } });
    expect((await host.ask('/broken')).status).toBe(500);
    expect((await host.ask('/100')).status).toBe(200);
  });

  test('an error whose properties throw is answered with 500', async () => {
    const error = Object.defineProperty(new Error('x'), 'status', {
      get: () => {
        throw new Error('no status');
      },
    });
    await using host = await Host.start({
      adapter,
      render: () => {
        throw error;
      },
    });
    expect((await host.ask('/100')).status).toBe(500);
  });

  test.each([
    ['an error page', { body: Buffer.from('<p>'), contentType: 'text/html' }],
    ['an empty image', { body: Buffer.alloc(0), contentType: 'image/png' }],
  ])('%s, which the cache does not store, is kept by nobody', async (_, rendering) => {
    await using host = await Host.start({ adapter, render: () => rendering });
    expect((await host.ask('/100')).headers['cache-control']).toBe('no-store');
  });

  test('a rendering that nobody gets ends at the size of the largest entry', async () => {
    let isOpen = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      isOpen = true;
      try {
        for (;;) yield Buffer.alloc(1_000_000);
      } finally {
        isOpen = false;
      }
    }
    await using host = await Host.start({
      adapter,
      env: { IMGPROXY_CACHE_REPORT_ERRORS: 'false' },
      render: () => ({ body: endless(), contentType: 'image/png' }),
    });
    expect((await host.ask('/100', {}, 'HEAD')).status).toBe(200);
    await vi.waitUntil(() => !isOpen, { timeout: 10_000 });
  });

  test('bytes of shared memory are served', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
    await using host = await Host.start({
      adapter,
      render: () => ({ body: shared, contentType: 'image/png' }),
    });
    expect([...(await host.ask('/100')).body]).toEqual([7, 7, 7]);
  });

  test('a failure of the store that is reported is 503', async () => {
    await using host = await Host.start({
      adapter,
      render: () => {
        throw new CacheError('ERR_CACHE_NO_SPACE', 'secret-path is full');
      },
    });
    const received = await host.ask('/100');
    expect([received.status, String(received.body)]).toEqual([503, 'ERR_CACHE_NO_SPACE']);
    expect(received.headers['cache-control']).toBe('no-store');
  });
});

test.each([
  [new CacheError('ERR_CACHE_ABORTED', 'x'), undefined],
  [new CacheError('ERR_CACHE_TIMEOUT', 'x'), 503],
  [new HttpError(429, 'Too many requests'), 429],
  [Object.assign(new Error('x'), { status: 403, publicMessage: 'Forbidden' }), 403],
  [Object.assign(new Error('x'), { status: 200, publicMessage: 'Fine' }), 500],
  [Object.assign(new Error('x'), { status: 403 }), 500],
  [new TypeError('x'), 400],
  [new RangeError('x'), 500],
  ['text', 500],
  [null, 500],
  [undefined, 500],
])('answerFailure(%s): %s', (error, status) => {
  expect(answerFailure(error)?.status).toBe(status);
});

test('errors go to the standard error stream unless the host takes them', async () => {
  const written: string[] = [];
  const { write } = process.stderr;
  process.stderr.write = (text: string | Uint8Array) => {
    written.push(String(text));
    return true;
  };
  try {
    await using host = await Host.start({ settings: { onError: undefined } });
    await host.ask('/broken');
    await host.ask('/missing');
  } finally {
    process.stderr.write = write;
  }
  expect(written.join('')).toMatch(/^Error: secret-reason\n/);
  expect(written.join('')).not.toContain('HttpError');
});
