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
