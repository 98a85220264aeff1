import net, { type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import type { ManualClock } from '@imgproxy-cache/driver-testkit';
import { type HttpTransport, TransportError } from '@imgproxy-cache/http-transport';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { authority, listen, openTransport, serverTls, setProxies, textOf } from './http-server.js';
import { startProxy } from './proxy-server.js';

type Step = 'accepted' | 'in the handshake' | 'asked' | 'after the head' | 'in the body';
type Way = 'directly' | 'through an http proxy' | 'through an https proxy';

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n';
/** What is sent before the end, where a request has come. */
const SENT: Partial<Record<Step, string>> = { 'after the head': HEAD, 'in the body': `${HEAD}begin` };

interface MortalServer {
  readonly port: number;
  /** Lets it answer. */
  recover(): void;
}

/** A server whose connections end at a step. */
async function startMortal(step: Step, secure: boolean): Promise<MortalServer> {
  let recovered = false;
  const serve = (socket: Socket): void => {
    socket.on('error', () => {});
    socket.once('data', () => {
      if (recovered) socket.end(`${HEAD}0123456789`);
      else socket.write(SENT[step] ?? '', () => socket.destroy());
    });
  };
  const secured = secure ? tls.createServer(serverTls, serve) : undefined;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    if (!recovered && step === 'accepted') socket.resetAndDestroy();
    else if (!recovered && step === 'in the handshake') socket.once('data', () => socket.resetAndDestroy());
    else if (secured === undefined) serve(socket);
    else secured.emit('connection', socket);
  });
  return { port: await untilTheEnd(server), recover: () => (recovered = true) };
}

/** A proxy that dies once it is asked for a tunnel, or once something comes through it. */
async function startMortalProxy(answer: string): Promise<number> {
  return await untilTheEnd(
    net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        if (answer === '') socket.destroy();
        else socket.write(answer, () => socket.once('data', () => socket.resetAndDestroy()));
      });
    }),
  );
}

async function untilTheEnd(server: Server): Promise<number> {
  await listen(server);
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

/** Makes a request whose store dies, and looks at what is left. */
async function expectLoss(
  { transport, clock }: { transport: HttpTransport; clock: ManualClock },
  origin: string,
  failure: RegExp,
): Promise<void> {
  const asking = ask(transport, origin);
  const error = await asking.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TransportError);
  expect(error).toMatchObject({ failure: expect.stringMatching(failure), retryable: true, stale: false });
  await vi.waitFor(() => expect(transport.connections).toEqual({ open: 0, idle: 0, waiting: 0 }));
  expect(clock.timers).toBe(0);
}

async function ask(transport: HttpTransport, origin: string): Promise<string> {
  const { body } = await transport.request({ method: 'GET', origin, path: '/', headers: {} });
  return await textOf(body);
}

describe.each<Way>(['directly', 'through an http proxy', 'through an https proxy'])('%s', (way) => {
  test.each<[scheme: string, step: Step]>([
    ['http', 'accepted'],
    ['http', 'asked'],
    ['http', 'after the head'],
    ['http', 'in the body'],
    ['https', 'accepted'],
    ['https', 'in the handshake'],
    ['https', 'asked'],
    ['https', 'after the head'],
    ['https', 'in the body'],
  ])('a store by %s that dies %s loses one request, and no more', async (scheme, step) => {
    const secure = scheme === 'https';
    const { port, recover } = await startMortal(step, secure);
    setProxies();
    if (way !== 'directly') {
      const proxyScheme = way === 'through an http proxy' ? 'http' : 'https';
      const proxy = await startProxy({ secure: proxyScheme === 'https' });
      const variable = `${proxyScheme}://127.0.0.1:${proxy.port}`;
      setProxies({ HTTP_PROXY: variable, HTTPS_PROXY: variable });
    }
    const opened = openTransport({ ca: authority });
    const origin = `${scheme}://127.0.0.1:${port}`;
    // A reset may come before the connection counts as made.
    const early = secure ? /^connect$/ : /^(?:connect|broken)$/;
    const isEarly = step === 'accepted' || step === 'in the handshake';
    await expectLoss(opened, origin, isEarly ? early : /^broken$/);
    recover();
    expect(await ask(opened.transport, origin)).toBe('0123456789');
  });
});

describe('a proxy', () => {
  test.each([
    ['after CONNECT', ''],
    ['in the tunnel', 'HTTP/1.1 200 Connection established\r\n\r\n'],
    ['in the middle of its answer', 'HTTP/1.1 200 Conn'],
  ])('that dies %s made no connection', async (_step, answer) => {
    const port = await startMortalProxy(answer);
    setProxies({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
    const opened = openTransport({ ca: authority });
    const asking = expectLoss(opened, 'https://s3.example.com', /^connect/);
    // Of half an answer only the deadline is left.
    if (answer.endsWith('Conn')) {
      await vi.waitFor(() => expect(opened.clock.timers).toBeGreaterThan(1));
      opened.clock.advance(3_000);
    }
    await asking;
  });
});
