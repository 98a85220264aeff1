import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { setProxies, startListener, startServer } from './http-server.js';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n';

const STORES: readonly (readonly [string, () => string | Promise<string>, RegExp])[] = [
  ['that nobody listens at', () => 'http://127.0.0.1:9', /^connect ECONNREFUSED$/],
  ['that is silent', () => listening(''), /^response-timeout undefined$/],
  ['that is silent after the head', () => listening(HEAD), /^silence undefined$/],
  ['whose name nobody knows', () => 'http://store.invalid', /^connect(?: E\w+|-timeout undefined)$/],
];

test.each(STORES)(
  'a program that only awaits a request to a store %s hears of it',
  async (_what, store, told) => {
    setProxies();
    expect(await ask(await store())).toMatch(told);
  },
);

test('a program ends while its connections are idle', async () => {
  setProxies();
  const { origin } = await startServer((_request, response) => response.end('answered'));
  expect(await ask(origin)).toBe('');
});

/** What the program prints. It rejects where the exit code is not 0: 13 is an await that never settled. */
async function ask(origin: string): Promise<string> {
  const program = fileURLToPath(new URL('processes/ask-again.mjs', import.meta.url));
  // Idle connections would last a minute.
  const { stdout } = await promisify(execFile)(process.execPath, [program, origin], { timeout: 30_000 });
  return stdout;
}

async function listening(answer: string): Promise<string> {
  const port = await startListener((socket) => socket.once('data', () => socket.write(answer)));
  return `http://127.0.0.1:${port}`;
}
