import { describe, expect, test } from 'vitest';
import { failure, foreign } from './fake-swift.js';
import { authOf, bodyOf, entryOf, expectCode, namesIn, openDriver, openStore } from './open-driver.js';
import type { Answer, Reply } from './wire.js';

const LARGE = Buffer.alloc(300_000, 'x');
const PAGE: Answer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' };

/** What the store answers to every request for a container or object. */
function answering(reply: Reply) {
  return ({ isAuthentication }: { readonly isAuthentication: boolean }): Reply =>
    isAuthentication ? undefined : reply;
}

describe.each([
  ['403', failure(403), 'ERR_CACHE_ACCESS_DENIED', /status 403/],
  ['429', failure(429), 'ERR_CACHE_UNAVAILABLE', /fewer requests \(status 429\)/],
  ['498', { status: 498 }, 'ERR_CACHE_UNAVAILABLE', /fewer requests \(status 498\)/],
  ['500', failure(500), 'ERR_CACHE_UNAVAILABLE', /cannot serve now \(status 500\)/],
  ['503', failure(503), 'ERR_CACHE_UNAVAILABLE', /cannot serve now \(status 503\)/],
  ['507', failure(507), 'ERR_CACHE_NO_SPACE', /disks/],
  ['408', failure(408), 'ERR_CACHE_TIMEOUT', /waited/],
  ['a redirect', { status: 302, headers: { location: '/elsewhere' } }, 'ERR_CACHE_UNAVAILABLE', /not Swift/],
  ['a 404 of somebody else', foreign(failure(404)), 'ERR_CACHE_UNAVAILABLE', /not Swift/],
  ['a page of somebody else', foreign(PAGE), 'ERR_CACHE_UNAVAILABLE', /not Swift/],
  ['an empty success of somebody else', foreign({ status: 204 }), 'ERR_CACHE_UNAVAILABLE', /not Swift/],
] as const)('an answer with %s', (_what, reply, code, message) => {
  test('is what it is to every operation, and never a miss', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a'));
    server.script = answering(reply);
    await expectCode(driver.get('a'), code, message);
    await expectCode(driver.put('a', entryOf('a')), code, message);
    await expectCode(driver.delete(['a']), code, message);
    await expectCode(namesIn(driver, ''), code, message);
    server.script = () => undefined;
    expect(await bodyOf(driver, 'a')).toBe('body of a');
  });
});

test('an operation that Swift does not know is unsupported, but to a look-up, which would then not be replaced', async () => {
  const { server, driver } = await openStore();
  server.script = answering(failure(405));
  await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_UNSUPPORTED');
  await expect(driver.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_UNAVAILABLE', retryable: false });
});

test('what is too large and what exceeds a quota are told apart', async () => {
  const { server, driver } = await openStore();
  server.script = answering(failure(413));
  await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_TOO_LARGE', /IMGPROXY_CACHE_MAX_ENTRY_SIZE/);
  server.script = answering({ status: 413, body: 'Upload exceeds quota.' });
  await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_NO_SPACE', /quota/);
});

test('a store that fails once is asked again, out of sight', async () => {
  const { server, driver, events } = await openStore();
  await driver.put('a', entryOf('a'));
  let failures = 1;
  server.script = () => (failures-- > 0 ? failure(503) : undefined);
  expect(await bodyOf(driver, 'a')).toBe('body of a');
  expect(events).toMatchObject([{ kind: 'request-retried', level: 'debug' }]);
});

test('a look-up waits for no longer than a sixteenth of its deadline before it asks again', async () => {
  const { server } = await openStore();
  const { driver } = openDriver(authOf(server, 1), {}, 1);
  await driver.put('a', entryOf('a'));
  server.script = answering(failure(429, { 'retry-after': '3' }));
  const asked = server.requests.length;
  await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE');
  expect(server.requests.length).toBe(asked + 1);
});

test('a put waits for as long as Retry-After says', async () => {
  const { server, driver } = await openStore();
  await driver.put('a', entryOf('a'));
  let first = 0;
  server.script = () => {
    if (first !== 0) return undefined;
    first = performance.now();
    return failure(503, { 'retry-after': '1' });
  };
  await driver.put('a', entryOf('a'));
  expect(performance.now() - first).toBeGreaterThan(950);
});

test('a put that another write has overtaken is made again', async () => {
  const { server, driver } = await openStore();
  let overtaken = 1;
  server.script = ({ method }) => (method === 'PUT' && overtaken-- > 0 ? { status: 202 } : undefined);
  await driver.put('a', entryOf('a'));
  expect(await bodyOf(driver, 'a')).toBe('body of a');
});

describe('a body', () => {
  const headOf = (
    stored: { readonly headers: Readonly<Record<string, string>> } | undefined,
    length?: number,
  ) => ({
    ...stored?.headers,
    'x-trans-id': 'tx',
    ...(length !== undefined && { 'content-length': length }),
  });

  test.each([
    ['reset', (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy()],
    ['ended', (socket: { destroy(): void }) => socket.destroy()],
  ] as const)('whose connection is %s in the middle is a failure of the store', async (_how, cut) => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a', LARGE));
    const stored = server.objects.get('a');
    server.script = ({ method }) =>
      method !== 'GET'
        ? undefined
        : (response) => {
            response.writeHead(200, headOf(stored, LARGE.length));
            response.write(LARGE.subarray(0, 100_000), () => cut(response.socket as never));
          };
    const entry = await driver.get('a');
    await expectCode(
      entry?.bytes() ?? Promise.reject(),
      'ERR_CACHE_UNAVAILABLE',
      /ended after \d+ of 300000 bytes/,
    );
  });

  test('that ends early without a declared length is a failure of the store', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a', LARGE));
    const stored = server.objects.get('a');
    server.script = ({ method }) =>
      method !== 'GET'
        ? undefined
        : (response) => {
            response.writeHead(200, headOf(stored));
            response.end(LARGE.subarray(0, 100_000));
          };
    const entry = await driver.get('a');
    await expectCode(
      entry?.bytes() ?? Promise.reject(),
      'ERR_CACHE_UNAVAILABLE',
      /ended after 100000 of 300000/,
    );
  });

  test('with another length than the metadata has is corrupt, before a byte of it', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a', LARGE));
    const stored = server.objects.get('a');
    if (stored !== undefined) server.objects.set('a', { ...stored, body: LARGE.subarray(1) });
    await expectCode(driver.get('a'), 'ERR_CACHE_CORRUPT', /299999 bytes instead of 300000/);
  });

  test('of an error is read up to a limit, and its connection does not linger', async () => {
    const { server, driver } = await openStore();
    await driver.put('a', entryOf('a'));
    server.script = answering((response) => {
      response.writeHead(403, { 'x-trans-id': 'tx' });
      const more = (): void => {
        while (!response.destroyed && response.write(LARGE));
      };
      response.on('drain', more);
      more();
    });
    await expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('of an error that does not end costs a second', async () => {
    const { server, driver, clock } = await openStore();
    await driver.put('a', entryOf('a'));
    const begun = Promise.withResolvers<void>();
    server.script = answering((response) => {
      response.writeHead(403, { 'x-trans-id': 'tx', 'content-length': 100 });
      response.write('x', () => begun.resolve());
    });
    const getting = expectCode(driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
    await begun.promise;
    await expect
      .poll(() => {
        clock.advance(1_000);
        return server.openConnections;
      })
      .toBe(0);
    await getting;
  });
});

describe('a store that is silent', () => {
  test('before the head is a time-out after IMGPROXY_CACHE_SWIFT_TIMEOUT_SECONDS, at each attempt', async () => {
    const { server, driver, clock } = await openStore({ timeout: 5 });
    await driver.put('a', entryOf('a'));
    const before = server.requests.length;
    server.script = () => () => {};
    const getting = expectCode(driver.get('a'), 'ERR_CACHE_TIMEOUT', /within 5 s/);
    for (const attempts of [1, 2, 3]) {
      await expect.poll(() => server.requests.length).toBe(before + attempts);
      clock.advance(5_000);
    }
    await getting;
  });

  test('in the body is a time-out', async () => {
    const { server, driver, clock } = await openStore({ timeout: 5 });
    await driver.put('a', entryOf('a', LARGE));
    const stored = server.objects.get('a');
    server.script = () => (response) => {
      response.writeHead(200, { ...stored?.headers, 'x-trans-id': 'tx', 'content-length': LARGE.length });
      response.write(LARGE.subarray(0, 1000));
    };
    const entry = await driver.get('a');
    const reading = expectCode(entry?.bytes() ?? Promise.reject(), 'ERR_CACHE_TIMEOUT', /within 5 s/);
    const advance = setInterval(() => clock.advance(5_000), 20);
    await reading.finally(() => clearInterval(advance));
  });
});

test('a store that is down is unavailable, and serves again when it is back', async () => {
  const { server, driver } = await openStore();
  await driver.put('a', entryOf('a'));
  await server.refuse();
  await expectCode(driver.get('a'), 'ERR_CACHE_UNAVAILABLE', /ECONNREFUSED/);
  await server.accept();
  expect(await bodyOf(driver, 'a')).toBe('body of a');
});

describe('a container that does not exist', () => {
  test('is told apart from objects that do not, by every operation', async () => {
    const { server, driver } = await openStore({ bucket: 'nowhere' });
    const message = /no such container.*swift post "nowhere".*IMGPROXY_CACHE_BUCKET/;
    await expectCode(driver.get('a'), 'ERR_CACHE_NO_BUCKET', message);
    await expectCode(driver.put('a', entryOf('a')), 'ERR_CACHE_NO_BUCKET', message);
    await expectCode(driver.delete(['a']), 'ERR_CACHE_NO_BUCKET', message);
    await expectCode(driver.delete(['a', 'b']), 'ERR_CACHE_NO_BUCKET', message);
    await expectCode(namesIn(driver, ''), 'ERR_CACHE_NO_BUCKET', message);
    server.containers.set('nowhere', new Map());
    expect(await driver.get('a')).toBeUndefined();
  });

  test('costs the misses of a minute one request together', async () => {
    const { server, driver, clock } = await openStore();
    await Promise.all(Array.from({ length: 20 }, (_, index) => driver.get(`a/${index}`)));
    for (let index = 0; index < 20; index += 1) expect(await driver.get(`b/${index}`)).toBeUndefined();
    expect(server.log.filter((line) => line === 'HEAD /images')).toHaveLength(1);
    server.containers.delete('images');
    clock.advance(61_000);
    await expectCode(driver.get('a'), 'ERR_CACHE_NO_BUCKET');
  });

  test('cannot be told by who may not look at it', async () => {
    const { server, driver } = await openStore();
    server.script = ({ method }) => (method === 'HEAD' ? failure(403) : undefined);
    expect(await driver.get('a')).toBeUndefined();
  });
});
