import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { ManualClock } from '@imgproxy-cache/driver-testkit';
import { type HttpBody, HttpTransport, type HttpTransportOptions } from '@imgproxy-cache/http-transport';
import { onTestFinished, vi } from 'vitest';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer {
  readonly origin: string;
  readonly port: number;
  readonly server: Server;
  /** `METHOD target` of every request. */
  readonly requests: readonly string[];
  /** Every connection that was ever accepted. */
  readonly sockets: readonly Socket[];
  readonly open: () => number;
}

export const authorityFile: URL = new URL('certificates/ca.crt', import.meta.url);
export const authority: Buffer = readFileSync(authorityFile);
/** A certificate for localhost, 127.0.0.1 and `*.s3.example.com`. */
export const serverTls: https.ServerOptions = {
  cert: readFileSync(new URL('certificates/server.crt', import.meta.url)),
  key: readFileSync(new URL('certificates/server.key', import.meta.url)),
};

/** A server that runs until the test is over. */
export async function startServer(
  answer: Answering,
  { secure = false, host = '127.0.0.1' }: { secure?: boolean; host?: string } = {},
): Promise<TestServer> {
  const requests: string[] = [];
  const listener: Answering = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.on('error', () => {});
    answer(request, response);
  };
  const server = secure ? https.createServer(serverTls, listener) : http.createServer(listener);
  server.keepAliveTimeout = 60_000;
  const sockets: Socket[] = [];
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.push(socket.on('error', () => {}));
  });
  await listen(server, host);
  onTestFinished(() => stop(server));
  const bound = (server.address() as AddressInfo).port;
  return {
    origin: `${secure ? 'https' : 'http'}://${net.isIPv6(host) ? `[${host}]` : host}:${bound}`,
    port: bound,
    server,
    requests,
    sockets,
    open: () => sockets.filter(({ destroyed }) => !destroyed).length,
  };
}

/** A server for bare connections, until the test is over. */
export async function startListener(accept: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    accept(socket);
  });
  await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Makes a server listen at a port that is free. */
export async function listen(server: Server, host = '127.0.0.1'): Promise<void> {
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
}

export async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    if (server instanceof http.Server) server.closeAllConnections();
  });
}

/** A transport that is closed with the test, and its clock. The environment's proxies do not count. */
export function openTransport(options: HttpTransportOptions = {}): {
  transport: HttpTransport;
  clock: ManualClock;
} {
  const clock = new ManualClock({ ticking: true });
  const transport = new HttpTransport({ clock, ...options });
  onTestFinished(() => transport.close());
  return { transport, clock };
}

/** Clears the variables that name proxies, until the test is over. */
export function setProxies(variables: Readonly<Record<string, string>> = {}): void {
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

export async function textOf(body: HttpBody): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Makes a GET and reads its answer. */
export async function read(
  transport: HttpTransport,
  origin: string,
  path = '/',
  options: { fresh?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  const { body } = await transport.request({ method: 'GET', origin, path, headers: {} }, options);
  return await textOf(body);
}
