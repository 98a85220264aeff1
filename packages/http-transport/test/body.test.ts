import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openTransport, setProxies, startServer, textOf } from './http-server.js';

const MEGABYTE = 1024 * 1024;

beforeEach(() => setProxies());

async function answering(answer: (response: ServerResponse) => void) {
  const server = await startServer((_request, response) => answer(response));
  const opened = openTransport();
  const ask = () =>
    opened.transport.request({ method: 'GET', origin: server.origin, path: '/', headers: {} });
  return { ...server, ...opened, ask };
}

describe('a connection comes back', () => {
  test('when a body was read, and serves the next request', async () => {
    const { ask, sockets, transport } = await answering((response) => response.end('x'.repeat(500_000)));
    for (let round = 0; round < 20; round += 1)
      expect(await textOf((await ask()).body)).toHaveLength(500_000);
    expect(sockets).toHaveLength(1);
    expect(transport.connections).toEqual({ open: 1, idle: 1, waiting: 0 });
  });

  test('before anybody reads a small body', async () => {
    const { ask, transport, sockets } = await answering((response) => response.end('small'));
    const answers = [];
    for (let round = 0; round < 10; round += 1) {
      answers.push(await ask());
      await vi.waitFor(() => expect(transport.connections.idle).toBe(1));
    }
    for (const { body } of answers) expect(await textOf(body)).toBe('small');
    expect(sockets).toHaveLength(1);
  });

  test('broken, when a body is closed in the middle', async () => {
    const { ask, open, transport } = await answering((response) => response.end(Buffer.alloc(20 * MEGABYTE)));
    const { body } = await ask();
    await body.next();
    const done = vi.fn();
    body.onDone(done);
    body.close();
    expect(done).toHaveBeenCalledTimes(1);
    expect(transport.connections.open).toBe(0);
    await expect(body.next()).rejects.toMatchObject({ failure: 'closed' });
    await vi.waitFor(() => expect(open()).toBe(0));
  });

  test('broken, when the signal ends a body', async () => {
    const { origin, transport, open } = await answering((response) => response.write('beginning'));
    const abort = new AbortController();
    const { body } = await transport.request(
      { method: 'GET', origin, path: '/', headers: {} },
      { signal: abort.signal },
    );
    await body.next();
    const next = body.next();
    next.catch(() => undefined);
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    await vi.waitFor(() => expect(open()).toBe(0));
  });

  test('broken, when the transport is closed', async () => {
    const { ask, transport, open } = await answering((response) => response.end(Buffer.alloc(20 * MEGABYTE)));
    const bodies = await Promise.all(Array.from({ length: 5 }, async () => (await ask()).body));
    transport.close();
    for (const body of bodies) await expect(textOf(body)).rejects.toMatchObject({ failure: 'closed' });
    await vi.waitFor(() => expect(open()).toBe(0));
  });

  test('not, where the store says that it closes it', async () => {
    const { ask, transport, sockets } = await answering((response) => {
      response.shouldKeepAlive = false;
      response.end('bye');
    });
    for (let round = 0; round < 3; round += 1) {
      expect(await textOf((await ask()).body)).toBe('bye');
      await vi.waitFor(() => expect(transport.connections.open).toBe(0));
    }
    expect(sockets).toHaveLength(3);
  });
});

describe('a store', () => {
  test('is held back by a slow reader, who is never cut off', async () => {
    let written = 0;
    const size = 64 * MEGABYTE;
    const { ask, clock } = await answering((response) => {
      const chunk = Buffer.alloc(MEGABYTE);
      const write = (): void => {
        while (written < size) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const { body } = await ask();
    await body.next();
    // What is neither taken nor refused is in the buffers of the two sockets: a few megabytes at the most.
    let before = -1;
    await vi.waitFor(
      () => {
        const stands = written === before;
        before = written;
        expect(stands).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(written).toBeLessThan(size / 2);
    clock.advance(86_400_000);
    let received = 0;
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      received += chunk.length;
      if (received < 2 * MEGABYTE) clock.advance(3_600_000);
    }
    expect(received).toBeGreaterThan(size - MEGABYTE);
  });

  test('that falls silent while somebody waits is given up', async () => {
    const { ask, clock, open } = await answering((response) => response.write('beginning'));
    const { body } = await ask();
    await body.next();
    const next = body.next();
    next.catch(() => undefined);
    clock.advance(10_000);
    await expect(next).rejects.toMatchObject({ failure: 'silence', name: 'TimeoutError' });
    await vi.waitFor(() => expect(open()).toBe(0));
  });

  test('that trickles is given up in the end', async () => {
    const { ask, clock } = await answering((response) => {
      const drip = setInterval(() => {
        clock.advance(5_000);
        response.write('x');
      }, 1);
      response.once('close', () => clearInterval(drip));
    });
    const { body } = await ask();
    await expect(textOf(body)).rejects.toMatchObject({ failure: 'silence' });
  });

  test.each(['reset', 'end'] as const)('that breaks off in the middle fails the body (%s)', async (way) => {
    const { ask, transport } = await answering((response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('x'.repeat(500), () => {
        if (way === 'reset') response.socket?.resetAndDestroy();
        else response.socket?.end();
      });
    });
    const { body } = await ask();
    await expect(textOf(body)).rejects.toMatchObject({ failure: 'broken', stale: false });
    expect(transport.connections.open).toBe(0);
  });
});
