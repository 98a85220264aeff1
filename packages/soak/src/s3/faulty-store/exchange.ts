import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Objects, StoredObject } from './objects.js';

export type RequestKind = 'get' | 'put' | 'delete' | 'delete-many' | 'list';

type Headers = Readonly<Record<string, string | number>>;

// Small, so that a listing takes several.
const NAMES_A_PAGE = 50;
const XML = { 'content-type': 'application/xml' };

/** One request, and everything that can be done about it. */
export class Exchange {
  readonly kind: RequestKind;
  /** Blank for a request to the bucket itself. */
  readonly name: string;
  readonly response: ServerResponse;
  readonly #request: IncomingMessage;
  readonly #query: URLSearchParams;
  readonly #objects: Objects;
  #body: Buffer = Buffer.alloc(0);

  constructor(request: IncomingMessage, response: ServerResponse, objects: Objects) {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://store');
    this.name = decodeURIComponent(pathname.split('/').slice(2).join('/'));
    this.kind = kindOf(request.method, this.name);
    this.response = response;
    this.#request = request;
    this.#query = searchParams;
    this.#objects = objects;
  }

  /** Rejects where the client goes away before it has sent all. */
  async receive(): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#request) chunks.push(chunk as Buffer);
    this.#body = Buffer.concat(chunks);
  }

  /** Waits for the first bytes of the request's body and takes no more. */
  async receivePart(): Promise<void> {
    for await (const _chunk of this.#request.iterator({ destroyOnReturn: false })) return;
  }

  /** The object that is asked for. */
  get object(): StoredObject | undefined {
    return this.#objects.get(this.name);
  }

  /** Its predecessor: a lie. */
  staleObject(): StoredObject | undefined {
    return this.#objects.stale(this.name);
  }

  /** Somebody else's: a lie. */
  otherObject(chance: number): StoredObject | undefined {
    return this.#objects.other(this.name, chance);
  }

  /** Says that there is no such object. */
  sendAbsent(lie: boolean): void {
    if (lie) this.#objects.denied(this.name);
    this.sendError(404, 'NoSuchKey');
  }

  /** Does what a write asks for. */
  apply(except: (name: string) => boolean = () => false): void {
    if (this.kind === 'put') this.#objects.put(this.name, { body: this.#body, headers: this.#metadata() });
    else for (const name of this.#namesToDelete()) if (!except(name)) this.#objects.delete(name);
  }

  /** Does what is asked, and answers as a sound store would. */
  serve(): void {
    switch (this.kind) {
      case 'get':
        if (this.object === undefined) this.sendAbsent(false);
        else this.sendObject(this.object);
        break;
      case 'put':
        this.apply();
        this.send(200, { etag: '"stored"' });
        break;
      case 'delete':
        this.apply();
        this.send(204, {});
        break;
      case 'delete-many':
        this.serveDeletion(() => false);
        break;
      case 'list':
        this.send(200, XML, this.#page());
    }
  }

  /** Deletes all names but those that fail, and says so. */
  serveDeletion(fails: (name: string) => boolean): void {
    this.apply(fails);
    const results = this.#namesToDelete().map((name) =>
      fails(name)
        ? `<Error><Key>${name}</Key><Code>InternalError</Code><Message>Try again</Message></Error>`
        : `<Deleted><Key>${name}</Key></Deleted>`,
    );
    this.send(200, XML, `<DeleteResult>${results.join('')}</DeleteResult>`);
  }

  sendObject({ headers, body }: StoredObject, changes: Headers = {}): void {
    this.send(200, { etag: '"stored"', ...headers, ...changes }, body);
  }

  sendError(status: number, code: string): void {
    this.send(
      status,
      XML,
      `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>So it is</Message></Error>`,
    );
  }

  /** An answer with a declared length. */
  send(status: number, headers: Headers, body: Buffer | string = ''): void {
    const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
    this.response.writeHead(status, { 'x-amz-request-id': 'SOAK', ...length, ...headers });
    this.response.end(body);
  }

  /** The head of an answer whose body's end is known by the end of the connection alone. */
  startUndeclared({ headers }: StoredObject): void {
    this.response.shouldKeepAlive = false;
    this.response.useChunkedEncodingByDefault = false;
    this.response.removeHeader('transfer-encoding');
    this.response.writeHead(200, { etag: '"stored"', ...headers });
  }

  /** The head of an answer that declares the length of its body, and a part of that body. */
  startDeclared({ headers, body }: StoredObject, part: Buffer, then: () => void = () => undefined): void {
    this.response.writeHead(200, { etag: '"stored"', ...headers, 'content-length': body.length });
    this.response.flushHeaders();
    this.response.write(part, then);
  }

  reset(): void {
    this.response.socket?.resetAndDestroy();
  }

  hangUp(): void {
    this.response.socket?.destroy();
  }

  #metadata(): Record<string, string> {
    const kept = Object.entries(this.#request.headers).filter(
      ([name]) => name === 'content-type' || name.startsWith('x-amz-meta-'),
    );
    return Object.fromEntries(kept) as Record<string, string>;
  }

  #namesToDelete(): string[] {
    if (this.kind === 'delete') return [this.name];
    return [...this.#body.toString().matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key = '']) => key);
  }

  #page(): string {
    const query = this.#query;
    const names = this.#objects.names(query.get('prefix') ?? '', query.get('continuation-token') ?? '');
    const page = names.slice(0, NAMES_A_PAGE);
    const next =
      names.length > page.length
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    const contents = page.map((name) => `<Contents><Key>${name}</Key></Contents>`);
    return `<ListBucketResult>${next}${contents.join('')}</ListBucketResult>`;
  }
}

function kindOf(method: string | undefined, name: string): RequestKind {
  if (name === '') return method === 'POST' ? 'delete-many' : 'list';
  if (method === 'PUT') return 'put';
  return method === 'DELETE' ? 'delete' : 'get';
}
