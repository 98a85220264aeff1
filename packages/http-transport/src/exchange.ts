import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { TransportClock } from './clock.js';
import type { Connection, WireRequest } from './connection.js';
import type { ConnectionPool } from './connection-pool.js';
import { HttpBody } from './http-body.js';
import { connectionError, TransportError, timeoutError } from './transport-error.js';

/** An answer. Its body must be read or closed. */
export interface HttpAnswer {
  readonly status: number;
  /** By names in lower case. Values of a repeated header are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpBody;
}

/** What an {@link Exchange} needs. */
export interface ExchangeParts {
  readonly pool: ConnectionPool;
  readonly clock: TransportClock;
  readonly responseTimeout: number;
  readonly silenceTimeout: number;
  /** Called when the request has failed, or its body is done. */
  onEnd(exchange: Exchange): void;
}

/** A request, and where it goes. */
export interface ExchangeRequest extends WireRequest {
  readonly origin: string;
  readonly host: string;
  readonly fresh: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * One request and its answer. Whatever happens, its promise settles, and its connection is returned or broken when the
 * body is done at the latest.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: ExchangeRequest;
  readonly #parts: ExchangeParts;
  readonly #answer = Promise.withResolvers<HttpAnswer>();
  readonly #deadline: { cancel(): void };
  readonly #abort = (): void => this.fail(this.#request.signal?.reason as Error);
  #withdraw: () => void = () => {};
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #body: HttpBody | undefined;
  #over = false;

  constructor(request: ExchangeRequest, parts: ExchangeParts) {
    this.#request = request;
    this.#parts = parts;
    this.#deadline = parts.clock.setTimer(() => this.#fallDue(), parts.responseTimeout);
  }

  start(): Promise<HttpAnswer> {
    const { origin, fresh, signal } = this.#request;
    signal?.addEventListener('abort', this.#abort, { once: true });
    const withdraw = this.#parts.pool.acquire(origin, fresh, (connection) => this.#send(connection));
    if (this.#connection === undefined && !this.#over) this.#withdraw = withdraw;
    return this.#answer.promise;
  }

  /** Ends it at any stage. */
  fail(error: Error): void {
    if (this.#body !== undefined) this.#body.fail(error);
    else this.#fail(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // Status 1xx precedes the answer itself.
    if (status < 200 || this.#over) return;
    this.#deadline.cancel();
    const { clock, silenceTimeout } = this.#parts;
    const { host } = this.#request;
    const flow = {
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      abort: () => this.#release(false),
    };
    this.#body = new HttpBody({ flow, clock, silenceTimeout, host });
    this.#body.onDone(() => this.#end());
    this.#answer.resolve({ status, headers: joined(headers), body: this.#body });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#body?.end();
    this.#release(true);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: Error): void {
    const { host } = this.#request;
    if (this.#body !== undefined) {
      this.#body.fail(connectionError('broken', 'the body broke off from', { host, cause }));
    } else if (cause instanceof TransportError) {
      this.#fail(cause);
    } else {
      const stale = this.#connection?.used === true;
      this.#fail(connectionError('broken', 'lost the connection to', { host, cause, stale }));
    }
    this.#release(false);
  }

  #send(connection: Connection): void {
    this.#connection = connection;
    try {
      connection.dispatch(this.#request, this);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fallDue(): void {
    const { host } = this.#request;
    const stale = this.#connection?.used === true;
    const waited = this.#connection === undefined ? 'no free connection' : 'no answer';
    this.#fail(timeoutError('response-timeout', waited, this.#parts.responseTimeout, { host, stale }));
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#withdraw();
    this.#release(false);
    this.#answer.reject(error);
  }

  #release(reusable: boolean): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#parts.pool.release(connection, reusable && this.#controller?.aborted !== true);
  }

  #end(): void {
    this.#over = true;
    this.#deadline.cancel();
    this.#request.signal?.removeEventListener('abort', this.#abort);
    this.#parts.onEnd(this);
  }
}

function joined(headers: IncomingHttpHeaders): Record<string, string> {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) headers[name] = value.join(', ');
  }
  return headers as Record<string, string>;
}
