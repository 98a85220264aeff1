import { inspect } from 'node:util';
import { isCacheError } from '@imgproxy-cache/core/driver';
import type { SwiftDriver } from '@imgproxy-cache/swift';
import { describe, expect, test } from 'vitest';
import { FakeSwift, foreign } from './fake-swift.js';
import { authOf, entryOf, namesIn, openDriver } from './open-driver.js';
import type { Answer, Reply } from './wire.js';

const KEY = 'hunter2-hunter2';

/** Everything that a failure shows, its causes and fields included. */
function shown(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true, getters: true });
}

async function failuresOf(driver: SwiftDriver): Promise<unknown[]> {
  const results = await Promise.allSettled([
    driver.get('a'),
    driver.put('a', entryOf('a')),
    driver.delete(['a', 'b']),
    namesIn(driver, ''),
    driver.check(),
  ]);
  return results.map((result) => (result.status === 'rejected' ? result.reason : result.value));
}

const echo = (text: string): Answer => ({
  status: 400,
  headers: { 'x-echo': text, 'www-authenticate': text, location: `http://${text}.example.com/?${text}` },
  body: `{"error": {"message": "${text}", "code": "${text}", "title": "${text}"}}`,
});

/** Each repeats what it was sent. */
const ECHOES: Readonly<Record<string, (text: string) => Reply>> = {
  'a refusal': echo,
  'a denial': (text) => ({ ...echo(text), status: 401 }),
  'a failure': (text) => ({ ...echo(text), status: 503 }),
  'a redirect': (text) => ({ ...echo(text), status: 302 }),
  'a success': (text) => ({ ...echo(text), status: 200 }),
  'an answer of somebody else': (text) => foreign({ ...echo(text), status: 404 }),
  'what is not HTTP': (text) => (response) =>
    void response.socket?.end(`${text} 220 ${text}\r\n${text}\r\n\r\n`),
  'a header that is not HTTP': (text) => (response) =>
    void response.socket?.end(`HTTP/1.1 200 OK\r\n${text} ${text}\r\n${text}: \u0000${text}\r\n\r\n`),
};

describe.each(Object.entries(ECHOES))('%s that repeats', (_what, reply) => {
  test.each([1, 2, 3] as const)(
    'the key, at authentication of version %i, shows it nowhere',
    async (version) => {
      const server = await FakeSwift.start();
      server.identity.key = KEY;
      server.script = () => reply(KEY);
      const { driver, events } = openDriver({ ...authOf(server, version), apiKey: KEY });
      const failures = await failuresOf(driver);
      expect(failures.slice(0, 4).every(isCacheError)).toBe(true);
      expect(shown([failures, events])).not.toContain(KEY);
    },
  );

  test('the token shows it nowhere', async () => {
    const server = await FakeSwift.start();
    const { driver, events } = openDriver(authOf(server, 3));
    let token = '';
    server.script = ({ isAuthentication, headers }) => {
      if (isAuthentication) return undefined;
      token = String(headers['x-auth-token']);
      return reply(token);
    };
    const failures = await failuresOf(driver);
    expect(token).toMatch(/^token-/);
    expect(shown([failures, events])).not.toContain(token);
  });
});

test('a catalogue whose regions are the key shows it nowhere', async () => {
  const server = await FakeSwift.start();
  server.identity.key = KEY;
  server.identity.regions = [KEY, `Region ${KEY}`, 'RegionOne'];
  const config = { ...authOf(server, 3), apiKey: KEY };
  const unknown = openDriver({ ...config, region: 'RegionNone' });
  expect(shown(await failuresOf(unknown.driver))).not.toContain(KEY);
  expect(shown(await openDriver(config).driver.check())).not.toContain(KEY);
});
