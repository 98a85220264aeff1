import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Authorization, isSigned, parseAuthorization } from './signature.js';

/** One request as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly authorization: Authorization | undefined;
  /** The connection it came on: the same number, the same connection. */
  readonly connection: number;
  readonly bucket: string;
  /** Blank for a request to the bucket itself. */
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What a script does with a request: an answer, anything done to the response by hand, or nothing. */
export type Reply = Answer | ((response: ServerResponse, request: IncomingMessage) => void) | undefined;

export interface StoredObject {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Bucket {
  region: string;
  readonly objects: Map<string, StoredObject>;
}

/** Temporary credentials. */
export interface Session {
  readonly accessKey: string;
  readonly secret: string;
  readonly token: string;
}

export interface S3ServerOptions {
  /** Makes the server speak TLS. */
  readonly tls?: https.ServerOptions;
  /** `bucket.host` instead of `host/bucket`. */
  readonly virtualHost?: boolean;
}

function certificate(name: string): Buffer {
  return readFileSync(new URL(`certificates/${name}`, import.meta.url));
}

/** The authority behind {@link testTls}. */
export const testAuthority: Buffer = certificate('ca.crt');

/** A certificate for localhost, s3.example.com and some names of AWS's. */
export const testTls: https.ServerOptions = {
  cert: certificate('server.crt'),
  key: certificate('server.key'),
};

/**
 * An S3 in memory that checks signatures, and that a script can make answer anything. It runs until the test is
 * over, and keeps every request.
 */
export class S3Server {
  readonly requests: WireRequest[] = [];
  /** Secrets by access key. */
  readonly secrets = new Map([['TESTKEY', 'test-secret']]);
  /** Session tokens by access key, for temporary credentials. */
  readonly tokens = new Map<string, string>();
  readonly buckets = new Map<string, Bucket>([['cache', { region: 'us-west-1', objects: new Map() }]]);
  /** Answers before the store does. */
  script: (request: WireRequest) => Reply = () => undefined;
  /** How a request is refused that was signed for another region than the bucket's. */
  wrongRegion: (region: string, request: WireRequest) => Reply = redirectWithHeader;
  readonly #virtualHost: boolean;
  readonly #server: http.Server;
  readonly #connections = new Map<Socket, number>();
  #accepted = 0;

  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    const server = new S3Server(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.stop());
    return server;
  }

  private constructor({ tls, virtualHost = false }: S3ServerOptions) {
    this.#virtualHost = virtualHost;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    };
    this.#server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#accepted += 1;
      this.#connections.set(socket, this.#accepted);
      socket.on('error', () => {});
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.#connections.size;
  }

  /** Lets temporary credentials in. */
  admit({ accessKey, secret, token }: Session): void {
    this.secrets.set(accessKey, secret);
    this.tokens.set(accessKey, token);
  }

  bucket(name = 'cache'): Bucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new Error(`no bucket ${name}`);
    return bucket;
  }

  /** Breaks every connection, as a firewall or a restart does. */
  breakConnections(): void {
    for (const socket of this.#connections.keys()) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await this.#receive(incoming);
    this.requests.push(request);
    const reply = this.script(request) ?? this.#serve(request);
    if (typeof reply === 'function') reply(response, incoming);
    else send(response, request, reply);
  }

  async #receive(incoming: IncomingMessage): Promise<WireRequest> {
    const { method = '', url = '', headers } = incoming;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const [path = '', query = ''] = url.split('?');
    const host = headers.host ?? '';
    const place = this.#virtualHost ? `/${host.slice(0, host.indexOf('.s3.'))}${path}` : path;
    const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(place) ?? [];
    return {
      method,
      url,
      headers,
      query: new URLSearchParams(query),
      body: Buffer.concat(chunks),
      authorization: parseAuthorization(headers.authorization),
      connection: this.#connections.get(incoming.socket) ?? 0,
      bucket: decodeURIComponent(bucket),
      key: decodeURIComponent(key),
    };
  }

  #serve(request: WireRequest): Answer | Exclude<Reply, undefined> {
    const { authorization } = request;
    if (authorization === undefined) return failure(403, 'AccessDenied');
    const secret = this.secrets.get(authorization.accessKey);
    if (secret === undefined) return failure(403, 'InvalidAccessKeyId');
    if (!isSigned(request, authorization, secret)) return failure(403, 'SignatureDoesNotMatch');
    if (request.headers['x-amz-security-token'] !== this.tokens.get(authorization.accessKey)) {
      return failure(400, 'InvalidToken');
    }
    const bucket = this.buckets.get(request.bucket);
    if (bucket === undefined) return failure(404, 'NoSuchBucket');
    if (authorization.region !== bucket.region) {
      const refusal = this.wrongRegion(bucket.region, request);
      if (refusal !== undefined) return refusal;
    }
    return request.key === '' ? serveBucket(bucket, request) : serveObject(bucket, request);
  }
}

function serveObject({ objects }: Bucket, { method, key, headers, body }: WireRequest): Answer {
  const object = objects.get(key);
  switch (method) {
    case 'PUT': {
      const kept = Object.entries(headers).filter(
        ([name]) => name === 'content-type' || name.startsWith('x-amz-meta-'),
      );
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      objects.set(key, { body, headers: { ...(Object.fromEntries(kept) as Record<string, string>), etag } });
      return { status: 200, headers: { etag } };
    }
    case 'GET':
      return object === undefined ? failure(404, 'NoSuchKey') : { status: 200, ...object };
    case 'DELETE':
      objects.delete(key);
      return { status: 204 };
    default:
      return failure(405, 'MethodNotAllowed');
  }
}

function serveBucket({ objects, region }: Bucket, { method, query, body }: WireRequest): Answer {
  if (method === 'HEAD') return { status: 200, headers: { 'x-amz-bucket-region': region } };
  if (query.has('location')) {
    const constraint = region === 'us-east-1' ? '' : region;
    return xml(
      `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${constraint}</LocationConstraint>`,
    );
  }
  if (query.has('delete')) {
    const keys = [...body.toString().matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, key = '']) => key);
    for (const key of keys) objects.delete(unescapeXml(key));
    return xml(
      `<DeleteResult>${keys.map((key) => `<Deleted><Key>${key}</Key></Deleted>`).join('')}</DeleteResult>`,
    );
  }
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
  const page = names.slice(0, 1000);
  const last = page.at(-1) ?? '';
  const next =
    names.length > page.length
      ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${escapeXml(last)}</NextContinuationToken>`
      : '<IsTruncated>false</IsTruncated>';
  const contents = page.map((name) => `<Contents><Key>${escapeXml(name)}</Key></Contents>`).join('');
  return xml(`<ListBucketResult><KeyCount>${page.length}</KeyCount>${next}${contents}</ListBucketResult>`);
}

function send(
  response: ServerResponse,
  { method }: WireRequest,
  { status, headers = {}, body = '' }: Answer,
): void {
  const content = method === 'HEAD' ? '' : body;
  response.writeHead(status, {
    'x-amz-request-id': 'TESTREQUEST',
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(content) }),
    ...headers,
  });
  response.end(content);
}

/** An error as S3 tells it. */
export function failure(
  status: number,
  code: string,
  elements = '',
  headers: Answer['headers'] = {},
): Answer {
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code} it is</Message>${elements}</Error>`;
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body: document };
}

export function xml(document: string): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${document}`,
  };
}

/** A page as a captive portal or a proxy sends it. */
export function html(status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html', 'x-amz-request-id': '' },
    body: '<!doctype html><title>Welcome</title>',
  };
}

/** How S3 itself refuses a request at the wrong region. */
export function redirectWithHeader(region: string): Answer {
  return failure(301, 'PermanentRedirect', '<Endpoint>evil.example.com</Endpoint>', {
    'x-amz-bucket-region': region,
  });
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
