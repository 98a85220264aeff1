import { Readable } from 'node:stream';
import type { HttpBody, HttpTransport } from '@imgproxy-cache/http-transport';
import { buildQueryString, type HttpHandler, type HttpRequest, HttpResponse } from '@smithy/core/protocols';
import type { HttpHandlerOptions } from '@smithy/types';

/** The header in which the SDK counts attempts: `attempt=1; max=3`. */
const ATTEMPT_HEADER = 'amz-sdk-request';

/** The SDK collects the answers of STS and other services without a limit. They are short. */
const MAX_COLLECTED_BYTES = 1024 * 1024;

/**
 * A body as the SDK expects it. Nothing of the source is read before the stream is. An object, which may be larger than
 * the stream allows, is read from the source.
 */
export class BodyStream extends Readable {
  readonly source: HttpBody;
  #received = 0;

  constructor(source: HttpBody) {
    super();
    this.source = source;
  }

  override _read(): void {
    this.source.next().then(
      (chunk) => {
        this.#received += chunk?.length ?? 0;
        if (this.#received > MAX_COLLECTED_BYTES) this.destroy(new Error('an answer that does not end'));
        else this.push(chunk ?? null);
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.source.close();
    callback(error);
  }
}

/** What a request of the SDK's is sent with. */
export interface SdkRequestOptions extends HttpHandlerOptions {
  readonly abortSignal: AbortSignal;
  /** Whether it goes over a new connection. */
  readonly fresh: boolean;
}

/**
 * Sends the requests of the SDK's clients over the driver's own connections. The last attempt of a request gets a new
 * connection, since after a network change all pooled ones may be dead.
 */
export class SdkTransport implements HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #transport: HttpTransport;
  readonly #ending: AbortSignal | undefined;

  /** @param ending ends all requests of a client whose user gives them no signal */
  constructor(transport: HttpTransport, ending?: AbortSignal) {
    this.#transport = transport;
    this.#ending = ending;
  }

  async handle(
    request: HttpRequest,
    { abortSignal, fresh = isLastAttempt(request) }: HttpHandlerOptions & { fresh?: boolean } = {},
  ): Promise<{ response: HttpResponse }> {
    const { method, path, headers } = request;
    const query = buildQueryString(request.query);
    const { status, body, ...answer } = await this.#transport.request(
      {
        method,
        origin: originOf(request),
        path: query === '' ? path : `${path}?${query}`,
        headers,
        body: bytesOf(request.body),
      },
      { signal: abortSignal instanceof AbortSignal ? abortSignal : this.#ending, fresh },
    );
    return {
      response: new HttpResponse({
        statusCode: status,
        headers: { ...answer.headers },
        body: new BodyStream(body),
      }),
    };
  }

  /** Does nothing: the SDK's clients come and go, and the driver closes the transport. */
  destroy(): void {}

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** `http(s)://host[:port]` of a request of the SDK's. */
function originOf({ protocol, hostname, port }: HttpRequest): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

// The driver sends no request with a stream.
function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError('the body of a request is a string or bytes');
}

function isLastAttempt({ headers }: HttpRequest): boolean {
  const [, attempt, max] = /^attempt=(\d+); max=(\d+)$/.exec(headers[ATTEMPT_HEADER] ?? '') ?? [];
  return attempt !== undefined && attempt !== '1' && attempt === max;
}
