import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openTransport, read, setProxies, startServer } from './http-server.js';

beforeEach(() => setProxies());

describe('the pool', () => {
  test('has no more connections than it may, to all hosts together, and serves in order', async () => {
    let busy = 0;
    let most = 0;
    const order: string[] = [];
    const answer: Parameters<typeof startServer>[0] = ({ url = '' }, response) => {
      order.push(url);
      busy += 1;
      most = Math.max(most, busy);
      setImmediate(() => {
        busy -= 1;
        response.end('x');
      });
    };
    const servers = [await startServer(answer), await startServer(answer)];
    const { transport } = openTransport({ maxConnections: 4 });
    const paths = Array.from({ length: 200 }, (_, index) => `/${index}`);
    await Promise.all(paths.map((path, index) => read(transport, servers[index % 2]?.origin ?? '', path)));
    expect(most).toBeLessThanOrEqual(4);
    expect(new Set(order).size).toBe(200);
    expect(transport.connections).toMatchObject({ waiting: 0 });
    expect(transport.connections.open).toBeLessThanOrEqual(4);
  });

  test('says when more requests wait than it has connections', async () => {
    const { origin } = await startServer(() => {});
    const onCrowded = vi.fn();
    const { transport } = openTransport({ maxConnections: 2, onCrowded });
    const asking = Array.from({ length: 5 }, () => read(transport, origin));
    expect(onCrowded).toHaveBeenCalledExactlyOnceWith(3);
    transport.close();
    await Promise.allSettled(asking);
  });

  test('uses the connection again that was used last', async () => {
    const { origin, sockets } = await startServer(({ socket }, response) =>
      response.end(String(sockets.indexOf(socket))),
    );
    const { transport } = openTransport();
    await Promise.all(Array.from({ length: 5 }, () => read(transport, origin)));
    expect(transport.connections).toMatchObject({ open: 5, idle: 5 });
    const used = new Set<string>();
    for (let round = 0; round < 10; round += 1) used.add(await read(transport, origin));
    expect(used.size).toBe(1);
  });

  test('gives up an idle connection for one to another host', async () => {
    const one = await startServer((_request, response) => response.end('one'));
    const two = await startServer((_request, response) => response.end('two'));
    const { transport } = openTransport({ maxConnections: 1 });
    for (let round = 0; round < 3; round += 1) {
      expect(await read(transport, one.origin)).toBe('one');
      expect(await read(transport, two.origin)).toBe('two');
    }
    expect(transport.connections.open).toBe(1);
  });

  test('uses no connection again that is too old', async () => {
    const { origin, sockets } = await startServer((_request, response) => response.end('x'));
    const { transport, clock } = openTransport({ maxAge: 60_000 });
    await read(transport, origin);
    clock.advance(30_000);
    await read(transport, origin);
    expect(sockets).toHaveLength(1);
    clock.advance(31_000);
    await read(transport, origin);
    expect(sockets).toHaveLength(2);
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
  });

  test('lets idle connections end', async () => {
    const { origin, open } = await startServer((_request, response) => {
      // Without it the store would say how long it keeps the connection, which counts more.
      response.setHeader('connection', 'keep-alive').end('x');
    });
    const { transport } = openTransport({ idleTimeout: 50 });
    await Promise.all(Array.from({ length: 5 }, () => read(transport, origin)));
    await vi.waitFor(() => expect(open()).toBe(0));
    await vi.waitFor(() => expect(transport.connections).toEqual({ open: 0, idle: 0, waiting: 0 }));
  });

  test('makes a new connection for who asks for one', async () => {
    const { origin, sockets } = await startServer((_request, response) => response.end('x'));
    const { transport } = openTransport({ maxConnections: 2 });
    for (let round = 0; round < 4; round += 1) await read(transport, origin, '/', { fresh: true });
    expect(sockets).toHaveLength(4);
    expect(transport.connections.open).toBeLessThanOrEqual(2);
  });
});

describe('a connection that has gone stale', () => {
  test.each(['reset', 'silent'] as const)('is told from a store in trouble (%s)', async (way) => {
    let dead = false;
    const { origin, requests } = await startServer(({ socket }, response) => {
      if (!dead) response.end('x');
      else if (way === 'reset') socket.resetAndDestroy();
    });
    const { transport, clock } = openTransport();
    await read(transport, origin);
    dead = true;
    const asking = read(transport, origin);
    asking.catch(() => undefined);
    await vi.waitFor(() => expect(requests).toHaveLength(2));
    if (way === 'silent') clock.advance(10_000);
    await expect(asking).rejects.toMatchObject({ stale: true, retryable: true });
  });

  test('in the pool, closed by the store, harms nobody', async () => {
    const { origin, sockets, open } = await startServer((_request, response) => response.end('x'));
    const { transport } = openTransport();
    await Promise.all(Array.from({ length: 5 }, () => read(transport, origin)));
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => expect(transport.connections.open).toBe(0));
    expect(await read(transport, origin)).toBe('x');
    expect(open()).toBe(1);
  });
});
