import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { failure, type Reply, redirectWithHeader, send } from './answers.js';
import { type Bucket, type StoredObject, serve } from './bucket.js';
import { type FaultRule, replyOf, strikes } from './faults.js';
import { isSigned } from './signature.js';
import { WireRequest } from './wire-request.js';

/** Temporary credentials. */
export interface Session {
  readonly accessKey: string;
  readonly secret: string;
  readonly token: string;
}

export interface FakeS3Options {
  /** Makes the server speak TLS. */
  readonly tls?: https.ServerOptions;
  /** `bucket.host` instead of `host/bucket`. */
  readonly virtualHost?: boolean;
  /** 0, the default, takes any that is free. */
  readonly port?: number;
}

const HOST = '127.0.0.1';
const BACKLOG = 1024;
/** Somebody else may have the port for a moment. */
const LISTEN_AGAIN_MS = 100;

/** An S3 in memory that checks signatures, and that a script or faults can make answer anything. */
export class FakeS3 implements AsyncDisposable {
  /** Every request whose body has arrived, if {@link keepsRequests}. */
  readonly requests: WireRequest[] = [];
  keepsRequests = true;
  checksSignatures = true;
  /** Requests whose heads have arrived. */
  received = 0;
  /** Requests that have not been answered to their end. */
  answering = 0;
  /** Requests that a script or the store has not replied to: only these can still change an object. */
  undecided = 0;
  /** Secrets by access key. */
  readonly secrets = new Map([['TESTKEY', 'test-secret']]);
  /** Session tokens by access key, for temporary credentials. */
  readonly tokens = new Map<string, string>();
  readonly buckets = new Map<string, Bucket>([['cache', { region: 'us-west-1', objects: new Map() }]]);
  /** Answers as soon as a request's head has arrived, before everything else. */
  scriptHead: ((request: WireRequest) => Reply) | undefined;
  /** Answers before the store does. */
  script: (request: WireRequest) => Reply = () => undefined;
  /** What goes wrong where no script answers: the first rule that strikes counts. */
  faults: readonly FaultRule[] = [];
  /** How a request is refused that was signed for another region than the bucket's. */
  wrongRegion: (region: string, request: WireRequest) => Reply = redirectWithHeader;
  readonly #virtualHost: boolean;
  readonly #secure: boolean;
  readonly #server: http.Server;
  readonly #connections = new Map<Socket, number>();
  #port: number;
  #accepted = 0;

  static async start(options: FakeS3Options = {}): Promise<FakeS3> {
    const server = new FakeS3(options);
    await server.accept();
    return server;
  }

  /** Listens only once it {@link accept accepts} connections. */
  constructor({ tls, virtualHost = false, port = 0 }: FakeS3Options = {}) {
    this.#virtualHost = virtualHost;
    this.#secure = tls !== undefined;
    this.#port = port;
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      this.#handle(request, response);
    this.#server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#accepted += 1;
      this.#connections.set(socket, this.#accepted);
      socket.on('error', () => {});
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.#server.on('error', () => setTimeout(() => this.#listen(), LISTEN_AGAIN_MS));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://${HOST}:${this.#port}`;
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

  /** The object that a request is about. */
  objectOf({ bucket, key }: WireRequest): StoredObject | undefined {
    return this.buckets.get(bucket)?.objects.get(key);
  }

  /** Does what a request asks for, as a sound store without secrets would, and returns the answer. */
  perform(request: WireRequest): Exclude<Reply, undefined> {
    const bucket = this.buckets.get(request.bucket);
    return bucket === undefined ? failure(404, 'NoSuchBucket') : serve(bucket, request);
  }

  /** Breaks every connection, as a firewall or a restart does. */
  breakConnections(): void {
    for (const socket of this.#connections.keys()) socket.resetAndDestroy();
  }

  /** Takes connections, at the same port as before. */
  async accept(): Promise<void> {
    if (this.#server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.once('listening', resolve);
    this.#listen();
    await promise;
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections and ends those that are open. */
  async refuse(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async stop(): Promise<void> {
    await this.refuse();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #listen(): void {
    this.#server.listen(this.#port, HOST, BACKLOG);
  }

  // No promise and no second look at the request before scriptHead has had it: benches answer there.
  #handle(incoming: IncomingMessage, response: ServerResponse): void {
    this.received += 1;
    this.answering += 1;
    response.once('close', () => {
      this.answering -= 1;
    });
    const connection = this.#connections.get(incoming.socket) ?? 0;
    const request = new WireRequest(incoming, connection, this.#virtualHost);
    const reply = this.scriptHead?.(request);
    if (reply !== undefined) answer(reply, request, incoming, response);
    else void this.#decide(request, incoming, response);
  }

  async #decide(request: WireRequest, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.undecided += 1;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      request.body = Buffer.concat(chunks);
      if (this.keepsRequests) this.requests.push(request);
      const reply =
        this.script(request) ?? this.#fault(request) ?? this.#refusal(request) ?? this.perform(request);
      answer(reply, request, incoming, response);
    } catch (error) {
      // The client has gone away, or a script has failed: either way there is nothing to send.
      response.destroy(error as Error);
    } finally {
      this.undecided -= 1;
    }
  }

  #fault(request: WireRequest): Reply {
    if (this.faults.length === 0) return undefined;
    const object = request.operation === 'get' ? this.objectOf(request) : undefined;
    const rule = this.faults.find((each) => strikes(each, request, object));
    return rule && replyOf(rule.fault, object);
  }

  #refusal(request: WireRequest): Reply {
    if (!this.checksSignatures) return undefined;
    const { authorization } = request;
    if (authorization === undefined) return failure(403, 'AccessDenied');
    const secret = this.secrets.get(authorization.accessKey);
    if (secret === undefined) return failure(403, 'InvalidAccessKeyId');
    if (!isSigned(request, authorization, secret)) return failure(403, 'SignatureDoesNotMatch');
    if (request.headers['x-amz-security-token'] !== this.tokens.get(authorization.accessKey)) {
      return failure(400, 'InvalidToken');
    }
    const bucket = this.buckets.get(request.bucket);
    if (bucket === undefined || authorization.region === bucket.region) return undefined;
    return this.wrongRegion(bucket.region, request);
  }
}

function answer(
  reply: Exclude<Reply, undefined>,
  request: WireRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  if (typeof reply === 'function') reply(response, incoming);
  else send(response, request, reply);
}
