import { leakOf } from '@imgproxy-cache/driver-testkit';
import { describe, expect, test } from 'vitest';
import { FakeSwift } from './fake-swift.js';
import { authOf, bodyOf, entryOf, expectCode, namesIn, openDriver } from './open-driver.js';

const HANG = () => () => {};

describe('an identity service that hangs', () => {
  test('costs everybody the time-out that is set, once, and then nothing until it is asked again', async () => {
    const server = await FakeSwift.start();
    const { driver, clock } = openDriver({ ...authOf(server, 3), timeout: 5 });
    server.script = HANG;
    const failing = [driver.get('a'), driver.put('a', entryOf('a')), driver.delete(['a'])].map((operation) =>
      expectCode(operation, 'ERR_CACHE_TIMEOUT', /cannot authenticate.*within 5 s/),
    );
    await expect.poll(() => server.authentications).toBe(1);
    clock.advance(5_000);
    await Promise.all(failing);
    await expectCode(driver.get('a'), 'ERR_CACHE_TIMEOUT');
    expect(server.authentications).toBe(1);
    server.script = () => undefined;
    clock.advance(1_000);
    expect(await driver.get('a')).toBeUndefined();
  });

  test('in the middle of its document costs no more', async () => {
    const server = await FakeSwift.start();
    const { driver, clock } = openDriver({ ...authOf(server, 3), timeout: 5 });
    const begun = Promise.withResolvers<void>();
    server.script = () => (response) => {
      response.writeHead(201, { 'x-subject-token': 'token', 'content-length': 5_000 });
      response.write('{"token":', () => begun.resolve());
    };
    const getting = expectCode(driver.get('a'), 'ERR_CACHE_TIMEOUT', /cannot authenticate/);
    await begun.promise;
    clock.advance(5_000);
    await getting;
  });

  test('ends with the operations that wait for it, each by its own signal', async () => {
    const server = await FakeSwift.start();
    const { driver } = openDriver(authOf(server, 3));
    server.script = HANG;
    const abort = new AbortController();
    const { signal } = abort;
    const aborted = [
      driver.get('a', { signal }),
      driver.put('a', entryOf('a'), { signal }),
      driver.delete(['a'], { signal }),
      driver.list('', { signal })[Symbol.asyncIterator]().next(),
      driver.check({ signal }),
    ].map((operation) => expectCode(operation, 'ERR_CACHE_ABORTED'));
    const other = driver.get('a');
    await expect.poll(() => server.authentications).toBe(1);
    abort.abort();
    await Promise.all(aborted);
    const closed = expectCode(other, 'ERR_CACHE_CLOSED');
    await driver.close();
    await closed;
    await expect.poll(() => server.openConnections).toBe(0);
  });

  test('leaves nothing behind when the driver is closed', async () => {
    const server = await FakeSwift.start();
    server.script = HANG;
    expect(
      await leakOf(async () => {
        for (let round = 0; round < 20; round += 1) {
          const { driver } = openDriver(authOf(server, 1));
          const asked = server.authentications;
          const failing = Promise.allSettled([driver.get('a'), namesIn(driver, '')]);
          await expect.poll(() => server.authentications).toBe(asked + 1);
          await driver.close();
          await failing;
        }
      }),
    ).toBeUndefined();
  });

  test('at a renewal delays no request while the token is valid', async () => {
    const server = await FakeSwift.start();
    const { driver, clock } = openDriver(authOf(server, 1));
    server.identity.now = () => clock.now();
    await driver.put('a', entryOf('a'));
    server.script = ({ isAuthentication }) => (isAuthentication ? () => {} : undefined);
    clock.advance(server.identity.tokenLife * 1000 - 60_000);
    for (let round = 0; round < 10; round += 1) expect(await bodyOf(driver, 'a')).toBe('body of a');
    expect(server.authentications).toBe(2);
  });
});
