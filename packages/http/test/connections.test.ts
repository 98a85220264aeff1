import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Connections } from '@imgproxy-cache/http';
import { expect, test } from 'vitest';

test('a stop answers the requests that run, and waits for no silent client', async () => {
  const taken = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    if (request.url === '/slow') {
      taken.resolve();
      await released.promise;
    }
    response.end('whole');
  });
  const connections = new Connections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const silent = ['', 'GET / HTTP/1.1\r\nHost: a', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n'].map(
    (sent) => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(sent);
      return socket;
    },
  );
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  await once(silent[2] ?? expect.fail(), 'data');
  const answer = fetch(`http://127.0.0.1:${port}/slow`);
  await taken.promise;

  const closed = once(server, 'close');
  await connections.close();
  server.close();
  await Promise.all(silent.map((socket) => once(socket.resume(), 'close')));
  released.resolve();
  const { headers } = await answer;
  expect(headers.get('connection')).toBe('close');
  expect(await (await answer).text()).toBe('whole');
  await closed;
});
