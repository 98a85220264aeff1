import type { ServerResponse } from 'node:http';
import { MINIMUM_RATE } from '@imgproxy-cache/http-transport';
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

/** A body that brings some bytes, and then a few at a time. */
async function startDribbling(before: number) {
  let response: ServerResponse | undefined;
  const { ask, clock } = await answering((opened) => {
    response = opened;
    opened.write(Buffer.alloc(before));
  });
  const { body } = await ask();
  const receive = async (bytes: number): Promise<void> => {
    for (let left = bytes; left > 0; ) left -= (await body.next())?.length ?? left;
  };
  await receive(before);
  /** Sends bytes while the reader waits. Resolves to how many times. */
  const drip = async ({ bytes, every, times }: { bytes: number; every: number; times: number }) => {
    for (let count = 0; count < times; count += 1) {
      const receiving = receive(bytes);
      receiving.catch(() => undefined);
      clock.advance(every);
      response?.write(Buffer.alloc(bytes));
      await receiving;
    }
    return times;
  };
  return { clock, drip };
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

  test.each([
    ['from the beginning', 1],
    ['after a megabyte', MEGABYTE],
  ])('that dribbles %s is given up about as soon as one that is silent', async (_when, before) => {
    const { clock, drip } = await startDribbling(before);
    const started = clock.monotonic();
    await expect(drip({ bytes: 1, every: 1_000, times: 120 })).rejects.toMatchObject({
      failure: 'silence',
      message: expect.stringMatching(/^fewer than 1024 bytes a second within 10 s from 127/),
    });
    expect(clock.monotonic() - started).toBeLessThan(20_000);
  });

  test('that brings the least rate is waited for, however long it takes', async () => {
    const { drip } = await startDribbling(1);
    expect(await drip({ bytes: MINIMUM_RATE * 9.5, every: 9_000, times: 40 })).toBe(40);
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

describe('a short body', () => {
  const limits = { maxBytes: 1_000, timeout: 1_000 };

  test('is read whole, and its connection serves the next request', async () => {
    const { ask, sockets } = await answering((response) => response.end('x'.repeat(1_000)));
    for (let round = 0; round < 3; round += 1) {
      const { bytes, whole } = await (await ask()).body.read(limits);
      expect([bytes.length, whole]).toEqual([1_000, true]);
    }
    expect(sockets).toHaveLength(1);
  });

  test('that is longer than it may be is given up', async () => {
    const { ask, open } = await answering((response) => {
      response.writeHead(500, { 'content-length': 10_000_000_000 }).write('x'.repeat(5_000));
    });
    const { bytes, whole } = await (await ask()).body.read(limits);
    expect([bytes.length, whole]).toEqual([1_000, false]);
    await vi.waitFor(() => expect(open()).toBe(0));
  });

  test('that takes longer than it may is given up', async () => {
    const { ask, clock, open } = await answering((response) => {
      response.writeHead(500, { 'content-length': 10_000_000_000 }).write('beginning');
    });
    const { body } = await ask();
    const reading = body.read(limits);
    clock.advance(1_000);
    expect((await reading).whole).toBe(false);
    await vi.waitFor(() => expect(open()).toBe(0));
    expect(clock.timers).toBe(0);
  });

  test('that breaks off is no short one', async () => {
    const { ask } = await answering((response) => {
      response.writeHead(500, { 'content-length': 100 });
      response.write('x', () => response.socket?.resetAndDestroy());
    });
    await expect((await ask()).body.read(limits)).rejects.toMatchObject({ failure: 'broken' });
  });
});
