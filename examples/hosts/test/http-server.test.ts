import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { HttpServer } from '../src/http-server.js';

test('a server that stops answers the requests that it has taken', async () => {
  const taken = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = new HttpServer(async (_request, response) => {
    taken.resolve();
    await released.promise;
    response.end('drawn');
  });
  const url = await server.listen(0);
  const answer = fetch(url);
  await taken.promise;
  const stopped = server.stop();
  await expect(fetch(url)).rejects.toThrow();
  released.resolve();
  expect(await (await answer).text()).toBe('drawn');
  await stopped;
});

test('a server that stops waits for no client that has sent no whole request', async () => {
  const taken = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = new HttpServer(async (request, response) => {
    if (request.url === '/slow') {
      taken.resolve();
      await released.promise;
    }
    response.end('drawn');
  });
  const { port } = new URL(await server.listen(0));
  const sockets = [
    '',
    'GET / HTTP/1.1\r\nHost: a',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n',
  ].map((sent) => {
    const socket = connect(Number(port)).on('error', () => {});
    socket.write(sent);
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await once(sockets[2] as Socket, 'data');
  const answer = fetch(`http://localhost:${port}/slow`);
  await taken.promise;

  const stopped = server.stop();
  await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')));
  released.resolve();
  expect(await (await answer).text()).toBe('drawn');
  await stopped;
});
