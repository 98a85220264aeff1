import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createImageCache, type ImageCache, type Rendering } from '@imgproxy-cache/core';
import fs from '@imgproxy-cache/fs';
import {
  createFetchHandler,
  createNodeHandler,
  type HandlerSettings,
  HttpError,
  type ImageRequest,
} from '@imgproxy-cache/http';
import memory from '@imgproxy-cache/memory';
import { Agent, request as send } from 'undici';

/** Bodies up to this size have validators and ranges in these hosts. */
export const VERIFY_BYTES = 100_000;
export const LAST_MODIFIED = 'Tue, 01 Sep 2026 10:00:00 GMT';

export interface HostOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly settings?: HandlerSettings;
  /** More of the request to the cache. */
  readonly image?: Partial<ImageRequest>;
  /** The rendering of a path, in place of {@link renderPath}. */
  readonly render?: (path: string, signal: AbortSignal) => Rendering | Promise<Rendering>;
  readonly adapter?: 'node' | 'fetch';
  /** Runs before the handler, as a middleware does. */
  readonly before?: (response: import('node:http').ServerResponse) => void;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** A host on the package, on a real socket. Each path is an image of its own. */
export class Host implements AsyncDisposable {
  readonly errors: { error: unknown; status: number }[] = [];
  readonly #agent = new Agent();
  #renders = 0;

  private constructor(
    readonly cache: ImageCache,
    readonly server: Server,
  ) {}

  static async start(options: HostOptions = {}): Promise<Host> {
    const { env = {}, settings = {}, image = {}, render = renderPath, adapter = 'node' } = options;
    const cache = await createImageCache({
      env: {
        IMGPROXY_CACHE_USE: 'memory',
        IMGPROXY_CACHE_REPORT_ERRORS: 'true',
        IMGPROXY_CACHE_VERIFY_BYTES: String(VERIFY_BYTES),
        ...env,
      },
      drivers: [memory, fs],
      logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    });
    const server = createServer({ maxHeaderSize: 100_000 });
    const host = new Host(cache, server);
    const applied = {
      onError: (error: unknown, status: number) => void host.errors.push({ error, status }),
      ...settings,
    };
    const nodeHandler = createNodeHandler(cache, applied);
    const fetchHandler = createFetchHandler(cache, applied);
    server.on('request', (request, response) => {
      options.before?.(response);
      const path = request.url ?? '';
      const wanted = { source: path, ...image };
      const rendered = ({ signal }: { signal: AbortSignal }): Rendering | Promise<Rendering> => {
        host.#renders++;
        return render(path, signal);
      };
      if (adapter === 'node') void nodeHandler(request, response, wanted, rendered);
      else {
        const headers = new Headers();
        for (const [name, lines] of Object.entries(request.headersDistinct)) {
          for (const line of lines ?? []) headers.append(name, line);
        }
        const gone = new AbortController();
        response.once('close', () => gone.abort());
        const { method = 'GET' } = request;
        const asked = new Request(`http://host${path}`, { method, headers, signal: gone.signal });
        void fetchHandler(asked, wanted, rendered).then(async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          try {
            for await (const chunk of answer.body ?? []) response.write(chunk);
            response.end();
          } catch {
            response.destroy();
          }
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return host;
  }

  /** How often an image was rendered. */
  get renders(): number {
    return this.#renders;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async ask(
    path: string,
    headers: Record<string, string | string[]> = {},
    method: string = 'GET',
  ): Promise<Received> {
    const answer = await send(`${this.url}${path}`, {
      method: method as 'GET',
      headers,
      dispatcher: this.#agent,
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    return {
      status: answer.statusCode,
      headers: answer.headers as Record<string, string | undefined>,
      body,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await this.cache.close();
  }
}

/** The bytes of a path's image. */
export function bytesOf(path: string): Buffer {
  const size = Number(/\d+/.exec(path)?.[0] ?? 1000);
  return Buffer.alloc(size, path);
}

/** `/1000`: bytes; `/stream/1000`: a stream; `/svg`, `/private`, `/missing`, `/broken`, `/breaks-off`. */
function renderPath(path: string): Rendering {
  const body = bytesOf(path);
  if (path.startsWith('/missing')) throw new HttpError(404, 'Source is unreachable', 'secret-reason');
  if (path.startsWith('/broken')) throw new Error('secret-reason');
  if (path.startsWith('/type-error')) throw new TypeError('secret-reason');
  const rendering = { contentType: 'image/webp', lastModified: LAST_MODIFIED, etag: '"source"' };
  if (path.startsWith('/svg')) return { body: Buffer.from('<svg/>'), contentType: 'image/svg+xml' };
  if (path.startsWith('/undated')) return { body, contentType: 'image/webp' };
  if (path.startsWith('/private')) return { ...rendering, body, store: false };
  if (path.startsWith('/stream')) return { ...rendering, body: inChunks(body) };
  if (path.startsWith('/breaks-off')) return { ...rendering, body: inChunks(body, true) };
  return { ...rendering, body };
}

async function* inChunks(body: Uint8Array, breaks = false): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 10_000) yield body.subarray(at, at + 10_000);
  if (breaks) throw new Error('secret-reason');
}
