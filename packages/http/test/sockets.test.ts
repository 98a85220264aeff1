import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { get, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createImageCache } from '@imgproxy-cache/core';
import { createFetchHandler } from '@imgproxy-cache/http';
import { describe, expect, test } from 'vitest';
import { bytesOf, Host, VERIFY_BYTES } from './host.js';

const run = promisify(execFile);
const BACKGROUND = { IMGPROXY_CACHE_REPORT_ERRORS: 'false' };
const CHUNK = 64 * 1024;

/** A rendering that yields chunks until it is ended, and tells what became of it. */
function endless(chunkLimit = Number.POSITIVE_INFINITY) {
  const ended = Promise.withResolvers<void>();
  const state = { yielded: 0, aborted: false };
  async function* body(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    signal.addEventListener('abort', () => (state.aborted = true));
    try {
      while (state.yielded < chunkLimit) {
        state.yielded++;
        yield Buffer.alloc(CHUNK);
        await new Promise((resolve) => setImmediate(resolve));
      }
      throw new Error('breaks off');
    } finally {
      ended.resolve();
    }
  }
  return { state, ended: ended.promise, body };
}

describe('a client that goes', () => {
  test('ends a rendering that nobody else waits for', async () => {
    const began = Promise.withResolvers<AbortSignal>();
    await using host = await Host.start({
      env: BACKGROUND,
      render: async (_path, signal) => {
        began.resolve(signal);
        await once(signal, 'abort');
        throw signal.reason;
      },
    });
    const asked = request(host.url).on('error', () => undefined);
    asked.end();
    const signal = await began.promise;
    asked.destroy();
    if (!signal.aborted) await once(signal, 'abort');
    expect(host.errors).toEqual([]);
  });

  test.each([
    ['while its body is collected', 1],
    ['while its body is streamed', VERIFY_BYTES + 1],
  ])('ends a rendering %s', async (_when, waitFor) => {
    const { state, ended, body } = endless();
    await using host = await Host.start({
      env: { ...BACKGROUND, IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000000' },
      render: (_path, signal) => ({ body: body(signal), contentType: 'image/webp' }),
    });
    const asked = request(host.url).on('error', () => undefined);
    asked.end();
    if (waitFor > 1) await once(asked, 'response');
    while (state.yielded * CHUNK < waitFor) await new Promise((resolve) => setImmediate(resolve));
    asked.destroy();
    await ended;
    expect(host.errors).toEqual([]);
    expect(host.cache.load.flights).toBe(0);
  });

  test('leaves the rendering to others that wait', async () => {
    const release = Promise.withResolvers<void>();
    await using host = await Host.start({
      render: async (path) => {
        await release.promise;
        return { body: bytesOf(path), contentType: 'image/webp' };
      },
    });
    const leaving = request(`${host.url}/100`).on('error', () => undefined);
    leaving.end();
    const staying = host.ask('/100');
    while (host.renders === 0) await new Promise((resolve) => setImmediate(resolve));
    leaving.destroy();
    release.resolve();
    expect((await staying).status).toBe(200);
    expect(host.renders).toBe(1);
  });
});

test('a slow client is waited for', async () => {
  const { state, ended, body } = endless();
  const asked = Promise.withResolvers<ServerResponse>();
  await using host = await Host.start({
    env: { ...BACKGROUND, IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000000' },
    before: asked.resolve,
    render: (_path, signal) => ({ body: body(signal), contentType: 'image/webp' }),
  });
  const socket = connect(host.port, '127.0.0.1');
  socket.pause().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const response = await asked.promise;
  // The socket's buffers are full once nothing is taken from the response for many turns.
  let full = 0;
  while (full < 200) {
    await new Promise((resolve) => setImmediate(resolve));
    full = response.writableNeedDrain ? full + 1 : 0;
  }
  const yielded = state.yielded;
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(state.yielded).toBe(yielded);
  socket.destroy();
  await ended;
});

describe('a body that breaks off never looks whole', () => {
  test.each(['node', 'fetch'] as const)('HTTP/1.1, adapter %s', async (adapter) => {
    const { body } = endless(40);
    await using host = await Host.start({
      adapter,
      env: { ...BACKGROUND, IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000000' },
      render: (_path, signal) => ({ body: body(signal), contentType: 'image/webp' }),
    });
    const [response] = await once(get(host.url), 'response');
    expect(response.statusCode).toBe(200);
    await expect(text(response)).rejects.toThrow();
    expect(host.errors).toEqual([{ error: expect.objectContaining({ message: 'breaks off' }), status: 200 }]);
  });

  test('HTTP/1.0: an error instead of a part', async () => {
    const { body } = endless(40);
    await using host = await Host.start({
      env: { ...BACKGROUND, IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000000' },
      render: (_path, signal) => ({ body: body(signal), contentType: 'image/webp' }),
    });
    expect(await raw(host, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 500 /);
  });

  test('HTTP/1.0: a whole body is collected, and its length sent', async () => {
    await using host = await Host.start({ env: BACKGROUND });
    const size = VERIFY_BYTES * 3;
    const answer = await raw(host, `GET /stream/${size} HTTP/1.0\r\n\r\n`);
    expect(answer.slice(0, 1000)).toMatch(new RegExp(`\r\nContent-Length: ${size}\r\n`, 'i'));
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(size);
  });
});

test('an answer that a middleware has given stays whole', async () => {
  const answered = Promise.withResolvers<void>();
  await using host = await Host.start({
    before: (response) => {
      setImmediate(() => {
        response.writeHead(503).end(Buffer.alloc(20_000_000));
        answered.resolve();
      });
    },
    render: async (path) => {
      await answered.promise;
      return { body: bytesOf(path), contentType: 'image/webp' };
    },
  });
  const received = await host.ask('/100');
  expect([received.status, received.body.length]).toEqual([503, 20_000_000]);
});

test('a small body leaves in one piece with its fields', async () => {
  await using host = await Host.start();
  await host.ask('/100');
  const socket = connect(host.port, '127.0.0.1');
  socket.write('GET /100 HTTP/1.1\r\nHost: x\r\n\r\n');
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  expect(chunk.subarray(chunk.indexOf('\r\n\r\n') + 4).length).toBe(100);
  socket.destroy();
});

test.each(['/stream/300000', '/300000'])('HEAD of %s fills the cache', async (path) => {
  await using host = await Host.start({ env: BACKGROUND });
  expect((await host.ask(path, {}, 'HEAD')).status).toBe(200);
  let status = '';
  while (!status.includes('hit')) status = (await host.ask(path)).headers['cache-status'] ?? '';
  expect(host.renders).toBe(1);
});

test('what a client sends makes no entry and changes no answer', async () => {
  await using host = await Host.start();
  const plain = await host.ask('/1000');
  const fields = {
    range: 'bytes=0-1',
    'if-range': '"x"',
    'if-match': '*',
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-forwarded-host': 'evil',
    accept: 'x',
    cookie: 'a=b',
  };
  await host.ask('/1000', fields);
  const again = await host.ask('/1000');
  expect(host.renders).toBe(1);
  expect([again.body, again.headers['etag']]).toEqual([plain.body, plain.headers['etag']]);
});

describe('malformed requests', () => {
  const long = 'x'.repeat(64_000);
  test.each([
    ['If-None-Match', `"${long}"`, 200],
    ['If-None-Match', '"a",'.repeat(16_000), 200],
    ['If-None-Match', '"\xff\xfe', 200],
    ['If-Match', long, 412],
    ['If-Modified-Since', long, 200],
    ['Range', `bytes=${'0-1,'.repeat(16_000)}`, 200],
    ['Range', `bytes=${'9'.repeat(64_000)}-`, 416],
    ['If-Range', `"${long}"`, 200],
    ['Accept', long, 200],
    ['Accept-Encoding', '\xff;q=x', 200],
    ['Cookie', `${'a=;'.repeat(20_000)}`, 200],
  ])('%s of %.12s', async (name, value, status) => {
    await using host = await Host.start({ env: { IMGPROXY_CACHE_KEY_COOKIES: 'a' } });
    const answer = await raw(
      host,
      `GET /100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${value}\r\n\r\n`,
    );
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(host.errors).toEqual([]);
  });

  test('a target keeps its bytes', async () => {
    const seen: string[] = [];
    await using host = await Host.start({
      render: (path) => {
        seen.push(path);
        return { body: bytesOf('/1'), contentType: 'image/webp' };
      },
    });
    const target = '/a/../b//%7e\\%zz?x';
    await raw(host, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(seen).toEqual([target]);
  });
});

describe('clients', () => {
  test('curl: ETag saved and compared, ranges resumed, HEAD', async () => {
    await using host = await Host.start();
    const { url } = host;
    const curl = async (...args: string[]): Promise<string> =>
      (await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args])).stdout;
    const write = ['--output', '/dev/null', '--write-out', '%{http_code} %{size_download}'];
    const tag = /etag: (.*)\r/i.exec(await curl('--head', `${url}/1000`))?.[1] ?? '';
    expect(await curl(...write, '--header', `If-None-Match: ${tag}`, `${url}/1000`)).toBe('304 0');
    expect(await curl(...write, '--range', '10-19', `${url}/1000`)).toBe('206 10');
    expect(await curl(...write, '--continue-at', '990', `${url}/1000`)).toBe('206 10');
    expect(await curl(...write, '--http1.0', `${url}/stream/5000`)).toBe('200 5000');
    expect(await curl(...write, '--time-cond', '2 Sep 2026 10:00:00 GMT', `${url}/1000`)).toBe('304 0');
    expect(host.renders).toBe(2);
  });

  test('node:http: one connection for many answers', async () => {
    await using host = await Host.start();
    const sockets = new Set<Socket>();
    host.server.on('connection', (socket: Socket) => sockets.add(socket));
    for (const [method, path] of [
      ['GET', '/1000'],
      ['HEAD', '/1000'],
      ['GET', `/${VERIFY_BYTES * 2}`],
      ['GET', '/stream/5000'],
      ['POST', '/1000'],
      ['GET', '/broken'],
      ['GET', '/1000'],
    ] as const) {
      const asked = request(`${host.url}${path}`, { method }).end();
      const [response] = await once(asked, 'response');
      await text(response);
    }
    expect(sockets.size).toBe(1);
  });
});

describe('a stream of the Fetch API', () => {
  test('is released when it is cancelled, and not read ahead', async () => {
    const { state, ended, body } = endless();
    await using cache = await createImageCache({
      env: { IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_MAX_ENTRY_SIZE: '1000000' },
      resolveFrom: import.meta.url,
    });
    const handle = createFetchHandler(cache);
    const response = await handle(new Request('http://host/'), { source: 'x' }, ({ signal }) => ({
      body: body(signal),
      contentType: 'image/webp',
    }));
    await response.body?.cancel();
    await ended;
    expect(state.yielded * CHUNK).toBeLessThan(4_000_000);
    expect(cache.load.flights).toBe(0);
  });

  test('has the status 499 where the client has gone', async () => {
    await using cache = await createImageCache({ env: {} });
    const handle = createFetchHandler(cache);
    const asked = new Request('http://host/', { signal: AbortSignal.abort() });
    const response = await handle(asked, { source: 'x' }, () => {
      throw new Error('not rendered');
    });
    expect(response.status).toBe(499);
  });
});

async function raw(host: Host, message: string): Promise<string> {
  const socket = connect(host.port, '127.0.0.1');
  socket.setEncoding('latin1').write(message, 'latin1');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}
