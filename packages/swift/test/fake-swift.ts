import { createHash } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { FakeIdentity } from './fake-identity.js';
import type { Answer, Reply, WireRequest } from './wire.js';

export interface StoredObject {
  readonly body: Buffer;
  /** Its content type and metadata. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface FakeSwiftOptions {
  readonly tls?: https.ServerOptions;
  /** Whether the proxy has the middleware for bulk deletion. */
  readonly bulk?: boolean;
}

const HOST = '127.0.0.1';
const PAGE = 10_000;
const ACCOUNT = '/v1/AUTH_test';
const HTML = { 'content-type': 'text/html; charset=UTF-8' };

/** What Swift answers with an error. */
export function failure(status: number, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { ...HTML, ...headers },
    body: `<html><h1>${http.STATUS_CODES[status]}</h1></html>`,
  };
}

/** An answer that lacks what Swift puts into each of its own. */
export function foreign({ status, headers, body }: Answer): Reply {
  return (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
}

/** A Swift with its identity service in one server, in memory, as facts about the real one say, and as a test scripts it. */
export class FakeSwift {
  readonly requests: WireRequest[] = [];
  /** Answers before the store and the identity service do. */
  script: (request: WireRequest) => Reply = () => undefined;
  readonly identity: FakeIdentity;
  readonly containers = new Map<string, Map<string, StoredObject>>([['images', new Map()]]);
  readonly #bulk: boolean;
  readonly #secure: boolean;
  readonly #server: http.Server;
  readonly #connections = new Set<Socket>();
  #port = 0;

  static async start(options: FakeSwiftOptions = {}): Promise<FakeSwift> {
    const server = new FakeSwift(options);
    await server.accept();
    onTestFinished(() => server.refuse());
    return server;
  }

  private constructor({ tls, bulk = true }: FakeSwiftOptions) {
    this.#bulk = bulk;
    this.#secure = tls !== undefined;
    this.identity = new FakeIdentity(() => `${this.url}${ACCOUNT}`);
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#handle(request, response).catch(() => response.destroy());
    this.#server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://${HOST}:${this.#port}`;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  get objects(): Map<string, StoredObject> {
    return this.container('images');
  }

  container(name: string): Map<string, StoredObject> {
    const objects = this.containers.get(name);
    if (objects === undefined) throw new Error(`no container ${name}`);
    return objects;
  }

  /** The requests so far, as `METHOD path`. */
  get log(): string[] {
    return this.requests.map(({ method, url }) => `${method} ${url.replace(ACCOUNT, '')}`);
  }

  get authentications(): number {
    return this.requests.filter(({ isAuthentication }) => isAuthentication).length;
  }

  /** Takes connections, at the same port as before. */
  async accept(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, HOST, resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections and ends those that are open. */
  async refuse(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = incoming;
    const { pathname, searchParams } = new URL(url, this.url);
    const request: WireRequest = {
      method,
      url,
      headers,
      body: Buffer.concat(chunks),
      path: decodeURIComponent(pathname),
      query: searchParams,
      isAuthentication: !pathname.startsWith(ACCOUNT),
    };
    this.requests.push(request);
    const reply = this.script(request) ?? this.perform(request);
    if (typeof reply === 'function') return reply(response);
    send(response, method, reply);
  }

  /** Does what a request asks for, and returns the answer. */
  perform(request: WireRequest): Answer {
    const { method, path, headers } = request;
    if (request.isAuthentication) return this.identity.answer(request);
    if (!this.identity.isValid(headers['x-auth-token'])) return failure(401);
    const [, containerName = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path.slice(ACCOUNT.length)) ?? [];
    if (containerName === '') return this.#serveAccount(request);
    const container = this.containers.get(containerName);
    if (container === undefined) return failure(404);
    if (key === '') return serveContainer(container, request);
    const object = container.get(key);
    switch (method) {
      case 'GET':
        return object === undefined ? failure(404) : { status: 200, ...object };
      case 'PUT':
        container.set(key, objectOf(request));
        return { status: 201, headers: { ...HTML, etag: md5(request.body) } };
      case 'DELETE':
        return container.delete(key) ? { status: 204, headers: HTML } : failure(404);
      default:
        return failure(405);
    }
  }

  #serveAccount({ method, query, body }: WireRequest): Answer {
    if (method !== 'POST' || !query.has('bulk-delete') || !this.#bulk) return { status: 204 };
    let deleted = 0;
    const lines = body.toString().split('\n').filter(Boolean);
    for (const line of lines) {
      const [container = '', ...key] = decodeURIComponent(line).split('/');
      if (this.containers.get(container)?.delete(key.join('/'))) deleted += 1;
    }
    return bulkResult({ deleted, absent: lines.length - deleted });
  }
}

/** How a bulk deletion ends. */
export function bulkResult(result: {
  readonly deleted: number;
  readonly absent: number;
  readonly errors?: readonly (readonly [string, string])[];
}): Answer {
  const { deleted, absent, errors = [] } = result;
  const document = {
    'Response Status': errors.length === 0 ? '200 OK' : '400 Bad Request',
    'Response Body': '',
    'Number Deleted': deleted,
    'Number Not Found': absent,
    Errors: errors,
  };
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) };
}

function serveContainer(objects: Map<string, StoredObject>, { method, query }: WireRequest): Answer {
  if (method === 'HEAD') return { status: 204 };
  if (method !== 'GET') return failure(405);
  const prefix = query.get('prefix') ?? '';
  const marker = query.get('marker') ?? '';
  const limit = Number(query.get('limit') ?? PAGE);
  if (limit > PAGE) return failure(412);
  const page = [...objects.keys()]
    .filter((name) => name.startsWith(prefix) && name > marker)
    .sort()
    .slice(0, limit)
    .map((name) => ({ name, bytes: objects.get(name)?.body.length }));
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(page) };
}

function objectOf({ headers, body }: WireRequest): StoredObject {
  const kept = Object.entries(headers).filter(
    ([name]) => name === 'content-type' || name.startsWith('x-object-meta-'),
  );
  return { body, headers: { ...(Object.fromEntries(kept) as Record<string, string>), etag: md5(body) } };
}

function md5(body: Buffer): string {
  return createHash('md5').update(body).digest('hex');
}

function send(response: ServerResponse, method: string, { status, headers = {}, body = '' }: Answer): void {
  response.writeHead(status, {
    'x-trans-id': 'tx-of-the-test',
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(method === 'HEAD' ? '' : body) }),
    ...headers,
  });
  response.end(method === 'HEAD' ? '' : body);
}
