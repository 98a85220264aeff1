import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { listen, serverTls, stop } from './http-server.js';

export interface TestProxy {
  readonly port: number;
  /** `METHOD target authorization` of every request. */
  readonly requests: string[];
}

export interface TestProxyOptions {
  /** Whether the proxy itself is asked over TLS. */
  readonly secure?: boolean;
  readonly host?: string;
  /** How it answers `CONNECT`. */
  readonly tunnelStatus?: number;
}

/** A proxy that goes to 127.0.0.1 whatever the name, until the test is over. */
export async function startProxy({
  secure = false,
  host = '127.0.0.1',
  tunnelStatus = 200,
}: TestProxyOptions = {}): Promise<TestProxy> {
  const requests: string[] = [];
  const note = ({ method, url, headers }: http.IncomingMessage): void => {
    requests.push(`${method} ${url} ${headers['proxy-authorization'] ?? '-'}`);
  };
  const forward: http.RequestListener = (request, response) => {
    note(request);
    const { port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const target = { host: '127.0.0.1', port, path: `${pathname}${search}`, method: request.method, headers };
    const upstream = http.request(target, (answer) => {
      answer.on('error', () => response.destroy());
      answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers));
    });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  };
  const proxy = secure ? https.createServer(serverTls, forward) : http.createServer(forward);
  proxy.on('connect', (request, socket, head) => {
    note(request);
    if (tunnelStatus !== 200) {
      socket.end(`HTTP/1.1 ${tunnelStatus} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const upstream = net.connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy()).once('close', () => socket.destroy());
    socket.on('error', () => upstream.destroy()).once('close', () => upstream.destroy());
  });
  await listen(proxy, host);
  onTestFinished(() => stop(proxy));
  return { port: (proxy.address() as net.AddressInfo).port, requests };
}
