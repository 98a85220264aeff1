import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { FakeS3, type Fault, type FaultRule } from 'fake-s3';
import { describe, expect, onTestFinished, test } from 'vitest';

const BODY = Buffer.from('0123456789'.repeat(50));

async function serverWith(...faults: readonly FaultRule[]): Promise<FakeS3> {
  const server = await FakeS3.start();
  onTestFinished(() => server.stop());
  server.checksSignatures = false;
  server.bucket().objects.set('image', { body: BODY, headers: { 'content-type': 'image/webp' } });
  server.faults = faults;
  return server;
}

interface Received {
  readonly status: number | undefined;
  readonly body: string;
  /** How it ended. */
  readonly end: 'ended' | 'broken';
}

async function get(server: FakeS3, key = 'image'): Promise<Received> {
  const request = http.get(`${server.url}/cache/${key}`, { agent: false });
  // Told a second time where the response is read.
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  try {
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode, body, end: 'ended' };
  } catch {
    return { status: response.statusCode, body, end: 'broken' };
  }
}

describe('a fault', () => {
  const text = BODY.toString();
  test.each<readonly [Fault, Received]>([
    [
      { kind: 'error', status: 200, code: 'InternalError' },
      { status: 200, body: 'InternalError', end: 'ended' },
    ],
    [
      { kind: 'answer', answer: { status: 502, body: 'no' } },
      { status: 502, body: 'no', end: 'ended' },
    ],
    [
      { kind: 'body-resets', after: 10 },
      { status: 200, body: '0123456789', end: 'broken' },
    ],
    [
      { kind: 'body-breaks', after: 10 },
      { status: 200, body: '0123456789', end: 'broken' },
    ],
    [
      { kind: 'ends-early', after: 10, length: 'chunked' },
      { status: 200, body: '0123456789', end: 'ended' },
    ],
    [
      { kind: 'ends-early', after: 10, length: 'undeclared' },
      { status: 200, body: '0123456789', end: 'ended' },
    ],
    [
      { kind: 'damaged', at: 1 },
      { status: 200, body: text.replace('1', '!'), end: 'ended' },
    ],
    [
      { kind: 'slow', bytesPerSecond: 5000 },
      { status: 200, body: text, end: 'ended' },
    ],
  ])('%j is seen by the client', async (fault, { body, ...rest }) => {
    const received = await get(await serverWith({ fault }));
    expect(received).toMatchObject({ ...rest, body: expect.stringContaining(body) });
    if (fault.kind !== 'error') expect(received.body).toBe(body);
  });

  test.each(['reset', 'hang-up'] as const)('%s ends the connection without an answer', async (kind) => {
    await expect(get(await serverWith({ fault: { kind } }))).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test.each<Fault>([{ kind: 'head-hangs' }, { kind: 'body-hangs', after: 10 }])(
    '%j leaves the client waiting until the connection breaks',
    async (fault) => {
      const server = await serverWith({ fault });
      const request = http.get(`${server.url}/cache/image`, { agent: false });
      const failed = once(request, 'error');
      if (fault.kind === 'head-hangs') await expect.poll(() => server.answering).toBe(1);
      else {
        const [response] = (await once(request, 'response')) as [IncomingMessage];
        response.on('error', () => undefined);
        const [chunk] = (await once(response, 'data')) as [Buffer];
        expect(chunk.toString()).toBe('0123456789');
        request.on('error', () => undefined);
      }
      expect(server.answering).toBe(1);
      server.breakConnections();
      if (fault.kind === 'head-hangs') await failed;
      await expect.poll(() => server.answering).toBe(0);
    },
  );
});

describe('a rule', () => {
  const fault: Fault = { kind: 'error', status: 503, code: 'SlowDown' };

  test('strikes the share of the requests that it says', async () => {
    const server = await serverWith({ fault, share: 0.5 });
    const statuses = await Promise.all(Array.from({ length: 200 }, async () => (await get(server)).status));
    const failed = statuses.filter((status) => status === 503).length;
    expect(failed).toBeGreaterThan(50);
    expect(failed).toBeLessThan(150);
  });

  test('strikes the operations and sizes that it says', async () => {
    const server = await serverWith({ fault, operations: ['get'], largerThan: 100 });
    server.bucket().objects.set('small', { body: BODY.subarray(0, 100), headers: {} });
    expect([(await get(server)).status, (await get(server, 'small')).status]).toEqual([503, 200]);
    expect((await get(server, '?list-type=2')).status).toBe(200);
  });
});
