import net from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  bodyOf,
  entryOf,
  expectCode,
  namesIn,
  type OpenStore,
  openDriver,
  openStore,
  setEnvironment,
  TEST_KEYS,
} from './open-driver.js';
import { failure, type WireRequest } from './s3-server.js';

const MEGABYTE = 1024 * 1024;

/** Answers a GET of the stored object by hand: its headers with `length`, then `send` on the open response. */
function scriptBody(
  { server }: OpenStore,
  length: 'declared' | 'chunked' | 'undeclared',
  send: (
    response: Parameters<Extract<ReturnType<typeof server.script>, (...args: never[]) => void>>[0],
    body: Buffer,
  ) => void,
): void {
  server.script = ({ method, key }) => {
    const object = server.bucket().objects.get(key);
    if (method !== 'GET' || object === undefined) return undefined;
    return (response) => {
      response.sendDate = false;
      if (length === 'undeclared') {
        response.shouldKeepAlive = false;
        response.useChunkedEncodingByDefault = false;
        response.removeHeader('transfer-encoding');
      }
      response.writeHead(200, {
        ...object.headers,
        ...(length === 'declared' ? { 'content-length': object.body.length } : {}),
      });
      send(response, object.body);
    };
  };
}

describe('S1 bodies that nobody reads', () => {
  test('give their connection back, read, discarded, aborted or refused', async () => {
    const { server, driver } = await openStore({ maxSockets: 4 });
    await driver.put('a', entryOf('a', Buffer.alloc(3 * MEGABYTE)));
    for (let round = 0; round < 50; round += 1) {
      const entry = await driver.get('a');
      if (round % 3 === 0) await entry?.discard();
      else if (round % 3 === 1) expect(await entry?.bytes()).toHaveLength(3 * MEGABYTE);
      else {
        const abort = new AbortController();
        const reading = entry?.bytes({ signal: abort.signal });
        abort.abort();
        await expect(reading).rejects.toMatchObject({ code: 'ERR_CACHE_ABORTED' });
      }
      await driver.get('absent');
    }
    server.script = () => failure(403, 'AccessDenied');
    for (let round = 0; round < 20; round += 1) await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
    server.script = () => undefined;
    expect(await driver.get('absent')).toBeUndefined();
    expect(server.openConnections).toBeLessThanOrEqual(4);
  });

  test('are ended by close(), with their connections', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a', Buffer.alloc(3 * MEGABYTE)));
    const entries = await Promise.all(Array.from({ length: 20 }, () => driver.get('a')));
    await driver.close();
    for (const entry of entries) await expect(entry?.bytes()).rejects.toMatchObject({ name: 'CacheError' });
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });
});

describe('S2 a store that falls silent', () => {
  test('before its answer is a time-out after three attempts', async () => {
    const { server, driver, clock } = await openStore();
    server.script = () => () => {};
    const hung = driver.get('a');
    hung.catch(() => undefined);
    for (const attempt of [1, 2, 3]) {
      await vi.waitFor(() => expect(server.requests).toHaveLength(attempt));
      clock.advance(10_000);
    }
    await expectCode(hung, 'ERR_CACHE_TIMEOUT', /no answer within 10 s/);
  });

  test('in the middle of an object is a time-out', async () => {
    const store = await openStore();
    await store.driver.put('a', entryOf('a'));
    scriptBody(store, 'declared', (response, body) => void response.write(body.subarray(0, 4)));
    const entry = await store.driver.get('a');
    const timers = store.clock.timers;
    const reading = entry?.bytes();
    reading?.catch(() => undefined);
    await vi.waitFor(() => expect(store.clock.timers).toBeGreaterThan(timers));
    store.clock.advance(10_000);
    await expectCode(
      Promise.resolve(reading),
      'ERR_CACHE_TIMEOUT',
      /fewer than 1024 bytes a second within 10 s/,
    );
    await vi.waitFor(() => expect(store.server.openConnections).toBe(0));
  });

  test('in the middle of a document is a time-out', async () => {
    const { server, driver, clock } = await openStore({ connectTimeout: 600, responseTimeout: 600 });
    server.script = () => (response) => {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.write('<?xml version="1.0"?><ListBucketResult>');
    };
    const advancing = setInterval(() => clock.advance(10_000), 20);
    onTestFinished(() => clearInterval(advancing));
    await expectCode(namesIn(driver, ''), 'ERR_CACHE_TIMEOUT', /fewer than 1024 bytes a second within 10 s/);
    expect(server.requests).toHaveLength(3);
  });

  test('that trickles is given up in the end', async () => {
    const store = await openStore();
    await store.driver.put('a', entryOf('a', Buffer.alloc(1000)));
    scriptBody(store, 'declared', (response, body) => {
      const drip = setInterval(() => {
        store.clock.advance(5_000);
        response.write(body.subarray(0, 1));
      }, 1);
      response.once('close', () => clearInterval(drip));
    });
    const entry = await store.driver.get('a');
    await expectCode(Promise.resolve(entry?.bytes()), 'ERR_CACHE_TIMEOUT');
  });
});

test('S3 a connection that is not made within its time is a time-out of its own', async () => {
  setEnvironment(TEST_KEYS);
  const accepted: net.Socket[] = [];
  const silent = net.createServer((socket) => accepted.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of accepted) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as net.AddressInfo;
  const { driver, clock } = openDriver({ endpoint: `https://127.0.0.1:${port}`, connectTimeout: 2 });
  const hung = driver.get('a');
  hung.catch(() => undefined);
  for (const attempt of [1, 2, 3]) {
    await vi.waitFor(() => expect(accepted).toHaveLength(attempt));
    clock.advance(2_000);
  }
  await expectCode(hung, 'ERR_CACHE_TIMEOUT', /no connection within 2 s/);
});

test('S4 a slow reader is never cut off', async () => {
  const { driver, clock } = await openStore();
  const size = 20 * MEGABYTE;
  await driver.put('a', entryOf('a', Buffer.alloc(size, 'x')));
  const entry = await driver.get('a');
  let received = 0;
  for await (const chunk of entry?.stream() ?? []) {
    received += chunk.length;
    if (received < MEGABYTE) clock.advance(3_600_000);
  }
  expect(received).toBe(size);
});

test.each(['chunked', 'undeclared'] as const)(
  'S5 a %s body that ends early is a failed transfer',
  async (length) => {
    const store = await openStore();
    await store.driver.put('a', entryOf('a', Buffer.alloc(1000)));
    scriptBody(store, length, (response, body) => void response.end(body.subarray(0, 500)));
    const entry = await store.driver.get('a');
    await expect(entry?.bytes()).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE', retryable: true });
  },
);

test('S5 a body that is longer than its entry is corrupt', async () => {
  const store = await openStore();
  await store.driver.put('a', entryOf('a', Buffer.alloc(1000)));
  scriptBody(store, 'chunked', (response, body) => void response.end(Buffer.concat([body, body])));
  const entry = await store.driver.get('a');
  await expectCode(Promise.resolve(entry?.bytes()), 'ERR_CACHE_CORRUPT');
});

test('S5 a size that nobody can have is not believed', async () => {
  const { server, driver } = await openStore();
  await driver.put('a', entryOf('a', Buffer.alloc(1000)));
  const stored = server.bucket().objects.get('a');
  server.script = () => (response) => {
    response.writeHead(200, { ...stored?.headers, 'x-amz-meta-size': String(Number.MAX_SAFE_INTEGER) });
    response.end('short');
  };
  const entry = await driver.get('a');
  await expectCode(Promise.resolve(entry?.bytes()), 'ERR_CACHE_UNAVAILABLE');
});

test.each(['bytes', 'stream'] as const)('S6 a reset in the middle of a body fails its %s', async (way) => {
  const store = await openStore();
  await store.driver.put('a', entryOf('a', Buffer.alloc(1000)));
  scriptBody(store, 'declared', (response, body) => {
    response.write(body.subarray(0, 500), () => response.socket?.resetAndDestroy());
  });
  const entry = await store.driver.get('a');
  const reading = async (): Promise<void> => {
    if (way === 'bytes') await entry?.bytes();
    else for await (const _chunk of entry?.stream() ?? []);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE', retryable: true });
  store.server.script = () => undefined;
  expect(await bodyOf(store.driver, 'a')).toHaveLength(1000);
});

test('S7 a pool of dead connections fails no request', async () => {
  const { server, driver, events } = await openStore();
  vi.stubEnv('AWS_MAX_ATTEMPTS', '9');
  await driver.put('a', entryOf('a'));
  const together = new Set<WireRequest>();
  server.script = (request) => (response) => {
    together.add(request);
    response.writeHead(404, { 'content-type': 'application/xml' });
    const finish = (): void => {
      if (together.size < 10) setImmediate(finish);
      else response.end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>');
    };
    finish();
  };
  await Promise.all(Array.from({ length: 10 }, () => driver.get('absent')));
  const dead = new Set([...together].map(({ connection }) => connection));
  expect(dead.size).toBe(10);
  server.script = ({ connection }) =>
    dead.has(connection) ? (response) => void response.socket?.resetAndDestroy() : undefined;
  const bodies = await Promise.all(Array.from({ length: 10 }, () => bodyOf(driver, 'a')));
  expect(bodies).toEqual(Array.from({ length: 10 }, () => 'body of a'));
  expect(events.map(({ kind }) => kind)).toContain('request-retried');
});

test('S8, S9 a put is bytes, and made again with the same ones', async () => {
  const { server, driver } = await openStore();
  const body = Buffer.alloc(300_000, 'image');
  server.script = () => (server.requests.length < 3 ? failure(503, 'SlowDown') : undefined);
  await driver.put('a', entryOf('a', body));
  expect(server.requests).toHaveLength(3);
  expect(server.requests.every((request) => request.body.equals(body))).toBe(true);
  expect(server.bucket().objects.get('a')?.body.equals(body)).toBe(true);
});

test('S10 a storm of SlowDown is answered with a budget of retries', async () => {
  const { server, driver } = await openStore();
  server.script = () => failure(503, 'SlowDown');
  const outcomes = await Promise.allSettled(Array.from({ length: 300 }, () => driver.get('a')));
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ reason: { code: 'ERR_CACHE_UNAVAILABLE', retryable: true } });
  }
  expect(server.requests.length).toBeGreaterThan(300);
  expect(server.requests.length).toBeLessThanOrEqual(450);
  server.script = () => undefined;
  expect(await driver.get('a')).toBeUndefined();
});

test('a pool that is too small is reported, not printed', async () => {
  const printed = vi.spyOn(console, 'warn');
  const { server, driver, events } = await openStore({ maxSockets: 1 });
  server.script = () => () => {};
  const waiting = Array.from({ length: 10 }, () => driver.get('a'));
  await vi.waitFor(() => expect(events.map(({ kind }) => kind)).toContain('connections-exhausted'));
  await driver.close();
  await Promise.allSettled(waiting);
  expect(printed).not.toHaveBeenCalled();
  printed.mockRestore();
});

describe('an operation that is aborted', () => {
  test.each(['get', 'put', 'delete', 'list', 'check'] as const)('ends %s at once', async (operation) => {
    const { server, driver } = await openStore();
    server.script = () => () => {};
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const operations = {
      get: () => driver.get('a', options),
      put: () => driver.put('a', entryOf('a'), options),
      delete: () => driver.delete(['a'], options),
      list: () => driver.list('', options)[Symbol.asyncIterator]().next(),
      check: () => driver.check(options),
    };
    const hung = operations[operation]();
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    abort.abort(new Error('enough'));
    await expectCode(hung, 'ERR_CACHE_ABORTED');
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
    expect(server.requests).toHaveLength(1);
  });

  test('during the discovery of the region ends at once, and the discovery serves the next', async () => {
    const { server, driver } = await openStore();
    server.bucket().region = 'eu-central-1';
    server.wrongRegion = () => ({ status: 301 });
    let release = (): void => {};
    server.script = ({ method }) =>
      method === 'HEAD'
        ? (response) => {
            release = () => response.writeHead(200, { 'x-amz-bucket-region': 'eu-central-1' }).end();
          }
        : undefined;
    const abort = new AbortController();
    const hung = driver.get('a', { signal: abort.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(2));
    abort.abort();
    await expectCode(hung, 'ERR_CACHE_ABORTED');
    const next = driver.get('a');
    await vi.waitFor(() => expect(server.requests).toHaveLength(3));
    release();
    expect(await next).toBeUndefined();
    expect(server.requests.filter(({ method }) => method === 'HEAD')).toHaveLength(1);
  });

  test('before it begins reaches no server', async () => {
    const { server, driver } = await openStore();
    await expectCode(driver.get('a', { signal: AbortSignal.abort() }), 'ERR_CACHE_ABORTED');
    expect(server.requests).toEqual([]);
  });
});

test('after close() every operation says so', async () => {
  const { driver } = await openStore();
  await driver.close();
  await driver.close();
  await expectCode(driver.get('a'), 'ERR_CACHE_CLOSED');
  await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_CLOSED');
  await expectCode(driver.delete(['a']), 'ERR_CACHE_CLOSED');
  await expectCode(namesIn(driver, ''), 'ERR_CACHE_CLOSED');
  await expectCode(driver.check(), 'ERR_CACHE_CLOSED');
});
