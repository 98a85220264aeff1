import { expect, test } from 'vitest';
import { bodyOf, entryOf, expectCode, type OpenStore, openStore } from './open-driver.js';
import { failure, type WireRequest } from './s3-server.js';

const HOUR = 3_600_000;

function signingTime({ headers }: WireRequest): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Refuses what was signed more than 15 minutes off the server's time, as S3 does. */
function keepTime({ server }: OpenStore, ahead: number): void {
  server.script = (request) => {
    const now = Date.now() + ahead;
    if (Math.abs(signingTime(request) - now) < HOUR / 4) return undefined;
    const time = new Date(now);
    return failure(403, 'RequestTimeTooSkewed', `<ServerTime>${time.toISOString()}</ServerTime>`, {
      date: time.toUTCString(),
    });
  };
}

test.each([1, -1])(
  'S17 a clock that is %i h off is corrected, for bodies and for 40 requests at once',
  async (sign) => {
    const store = await openStore();
    keepTime(store, sign * HOUR);
    const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => store.driver.put(name, entryOf(name))));
    const before = store.server.requests.length;
    for (const name of names) expect(await bodyOf(store.driver, name)).toBe(`body of ${name}`);
    expect(store.server.requests).toHaveLength(before + 40);
  },
);

test('S17 a clock that is off is corrected for more requests at once than the budget has retries', async () => {
  const store = await openStore();
  keepTime(store, HOUR);
  const { script } = store.server;
  const all = Promise.withResolvers<void>();
  let refused = 0;
  store.server.script = (request) => {
    const refusal = script(request);
    if (refusal === undefined || typeof refusal === 'function') return undefined;
    refused++;
    if (refused === 100) all.resolve();
    return async (response) => {
      await all.promise;
      response.writeHead(refusal.status, refusal.headers).end(refusal.body);
    };
  };
  const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => store.driver.put(name, entryOf(name))));
  expect([refused, store.server.requests.length]).toEqual([100, 200]);
});

test('S17 check() tells how far the clock is off', async () => {
  const store = await openStore();
  keepTime(store, HOUR);
  const { ok, findings } = await store.driver.check();
  expect(ok).toBe(true);
  expect(findings).toMatchObject([
    { level: 'warning', subject: 'clock', message: expect.stringContaining('60 minutes behind') },
  ]);
});

test.each([200, 404])('S17 one %i with an odd date does not move the clock', async (status) => {
  const store = await openStore();
  await store.driver.put('a', entryOf('a'));
  const date = new Date(Date.now() + 3 * HOUR).toUTCString();
  const stored = store.server.bucket().objects.get('a');
  store.server.script = () =>
    status === 200
      ? { status, body: stored?.body ?? '', headers: { ...stored?.headers, date } }
      : failure(status, 'NoSuchKey', '', { date });
  await (await store.driver.get('a'))?.discard();
  keepTime(store, 0);
  const before = store.server.requests.length;
  expect(await bodyOf(store.driver, 'a')).toBe('body of a');
  expect(store.server.requests).toHaveLength(before + 1);
});

test('S17 one refusal of a right with an odd date does not move the clock', async () => {
  const store = await openStore();
  await store.driver.put('a', entryOf('a'));
  const date = new Date(Date.now() + 3 * HOUR).toUTCString();
  let lied = false;
  store.server.script = () => {
    if (lied) return undefined;
    lied = true;
    return failure(403, 'AccessDenied', '', { date });
  };
  await expectCode(store.driver.get('a'), 'ERR_CACHE_ACCESS_DENIED');
  keepTime(store, 0);
  const before = store.server.requests.length;
  expect(await bodyOf(store.driver, 'a')).toBe('body of a');
  expect(store.server.requests).toHaveLength(before + 1);
});
