import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { FakeS3Process, type FakeS3ProcessOptions, testAuthority } from 'fake-s3';
import { expect, onTestFinished, test } from 'vitest';

async function start(options: FakeS3ProcessOptions = {}): Promise<FakeS3Process> {
  const server = await FakeS3Process.start(options);
  onTestFinished(() => server.kill());
  return server;
}

async function send(server: FakeS3Process, method: string, body = ''): Promise<number | undefined> {
  const options = { method, agent: false, headers: { 'content-length': body.length } } as const;
  const url = `${server.endpoint}/cache/image`;
  const request = url.startsWith('https')
    ? https.request(url, { ...options, ca: testAuthority })
    : http.request(url, options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** The state of a process, as ps tells it: T while it is stopped. */
function stateOf(pid: number): string {
  return execFileSync('ps', ['-o', 'state=', '-p', String(pid)])
    .toString()
    .trim()
    .slice(0, 1);
}

test.each([false, true])('stores and serves, with TLS: %s', async (tls) => {
  const server = await start({ tls });
  expect(await send(server, 'GET')).toBe(404);
  expect(await send(server, 'PUT', 'a body')).toBe(200);
  expect(await send(server, 'GET')).toBe(200);
  await server.setFaults([{ fault: { kind: 'error', status: 503, code: 'SlowDown' }, operations: ['get'] }]);
  expect(await send(server, 'GET')).toBe(503);
  await server.setFaults([]);
  expect(await send(server, 'GET')).toBe(200);
  expect(await server.received()).toBe(5);
});

test('refuses connections, and takes them again at the same port', async () => {
  const server = await start({ refusing: true });
  await expect(send(server, 'GET')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await server.accept();
  expect(await send(server, 'PUT', 'a body')).toBe(200);
  await server.refuse();
  await expect(send(server, 'GET')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await server.accept();
  expect(await send(server, 'GET')).toBe(200);
});

test('stands still and goes on, and comes back empty where it was killed', async () => {
  const server = await start();
  await send(server, 'PUT', 'a body');
  const { port } = server;
  server.signal('SIGSTOP');
  await expect.poll(() => stateOf(server.pid)).toBe('T');
  const pending = send(server, 'GET');
  server.signal('SIGCONT');
  expect(await pending).toBe(200);
  await server.kill();
  await server.restart();
  expect(server.port).toBe(port);
  expect(await send(server, 'GET')).toBe(404);
});

test('is scripted by a module, which can be asked', async () => {
  const server = await start({
    module: new URL('./processes/counting-script.mjs', import.meta.url),
    argument: 418,
  });
  expect(await send(server, 'GET')).toBe(418);
  expect(await server.ask('refused')).toBe(1);
  await expect(server.ask('nothing')).rejects.toThrow('there is no order nothing');
});
