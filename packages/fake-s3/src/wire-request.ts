import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Authorization, parseAuthorization } from './signature.js';

/** What a request asks the store to do. */
export type Operation =
  | 'get'
  | 'head'
  | 'put'
  | 'delete'
  | 'delete-many'
  | 'list'
  | 'location'
  | 'head-bucket'
  | 'other';

/** One request as it came over the wire. Its parts are parsed when they are asked for: benches need few of them. */
export class WireRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The connection it came on: the same number, the same connection. */
  readonly connection: number;
  /** Empty until the server has received it. */
  body: Buffer = Buffer.alloc(0);
  readonly #virtualHost: boolean;

  /** @param virtualHost whether the bucket is a part of the host name */
  constructor({ method = '', url = '', headers }: IncomingMessage, connection: number, virtualHost: boolean) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.connection = connection;
    this.#virtualHost = virtualHost;
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.url.split('?')[1] ?? '');
  }

  get authorization(): Authorization | undefined {
    return parseAuthorization(this.headers.authorization);
  }

  get bucket(): string {
    return this.#place[0];
  }

  /** Blank for a request to the bucket itself. */
  get key(): string {
    return this.#place[1];
  }

  get operation(): Operation {
    const { method, key, query } = this;
    if (key !== '') return OBJECT_OPERATIONS.get(method) ?? 'other';
    if (method === 'HEAD') return 'head-bucket';
    if (method === 'POST') return query.has('delete') ? 'delete-many' : 'other';
    if (method !== 'GET') return 'other';
    return query.has('location') ? 'location' : 'list';
  }

  get #place(): readonly [bucket: string, key: string] {
    const end = this.url.indexOf('?');
    const path = end === -1 ? this.url : this.url.slice(0, end);
    if (this.#virtualHost) {
      const host = this.headers.host ?? '';
      return [host.slice(0, host.indexOf('.s3.')), decodeURIComponent(path.slice(1))];
    }
    const slash = path.indexOf('/', 1);
    if (slash === -1) return [decodeURIComponent(path.slice(1)), ''];
    return [decodeURIComponent(path.slice(1, slash)), decodeURIComponent(path.slice(slash + 1))];
  }
}

const OBJECT_OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['GET', 'get'],
  ['HEAD', 'head'],
  ['PUT', 'put'],
  ['DELETE', 'delete'],
]);
