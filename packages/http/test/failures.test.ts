import { CacheError } from '@imgproxy-cache/core/driver';
import { answerFailure, HttpError } from '@imgproxy-cache/http';
import { describe, expect, test } from 'vitest';
import { Host } from './host.js';

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
