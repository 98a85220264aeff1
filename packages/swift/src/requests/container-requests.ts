import type { DriverEvent } from '@imgproxy-cache/core/driver';
import type { Attempt, HttpAnswer, HttpTransport, Retries } from '@imgproxy-cache/http-transport';
import type { Session } from '../authentication/session.js';
import type { SharedSession } from '../authentication/shared-session.js';
import { discardBody, statusError } from './failures.js';
import { judgeFailure } from './retries.js';

/** A request to the account, to a container or to an object. It may be made several times. */
export interface StoreRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** What follows the path of the account: path and query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** How a request is made. */
export interface StoreRequestOptions {
  readonly signal: AbortSignal;
  /** Longest time of all pauses between attempts together, in milliseconds. Default: no limit. */
  readonly longestWait?: number;
}

/** What {@link ContainerRequests} sends with. */
export interface ContainerRequestParts {
  readonly transport: HttpTransport;
  readonly session: SharedSession;
  readonly retries: Retries;
  report(event: DriverEvent): void;
}

/** Sends requests with the token, tried again where that may help: at most one new token a request. */
export class ContainerRequests {
  readonly #parts: ContainerRequestParts;

  constructor(parts: ContainerRequestParts) {
    this.#parts = parts;
  }

  /**
   * @param read makes a result of an answer, and throws for one that it does not accept
   * @throws StatusError, TransportError, AuthenticationError, NotSwiftError, the signal's reason
   */
  async send<Result>(
    request: StoreRequest,
    read: (answer: HttpAnswer) => Result | Promise<Result>,
    { signal, longestWait = Number.POSITIVE_INFINITY }: StoreRequestOptions,
  ): Promise<Result> {
    const { retries, report } = this.#parts;
    let attempts = 0;
    try {
      return await retries.run(
        async (attempt) => {
          attempts = attempt.number;
          return await read(await this.#answer(request, attempt, signal));
        },
        judgeFailure,
        { signal, longestWait },
      );
    } finally {
      if (attempts > 1) {
        const message = `a ${request.method} request to Swift took ${attempts} attempts`;
        report({ kind: 'request-retried', level: 'debug', message });
      }
    }
  }

  async #answer(request: StoreRequest, { fresh }: Attempt, signal: AbortSignal): Promise<HttpAnswer> {
    const { session: shared } = this.#parts;
    const session = await shared.current();
    const answer = await this.#ask(request, session, fresh, signal);
    if (answer.status !== 401) return answer;
    const refusal = await statusError(answer);
    const other = await shared.insteadOf(session);
    if (other === undefined) throw refusal;
    const second = await this.#ask(request, other, fresh, signal);
    if (second.status !== 401) return second;
    shared.refusedAnew(other);
    throw await statusError(second);
  }

  #ask(
    { method, path, headers, body }: StoreRequest,
    { token, storage }: Session,
    fresh: boolean,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    return this.#parts.transport.request(
      {
        method,
        origin: storage.origin,
        path: storage.path + path,
        headers: { 'x-auth-token': token, 'user-agent': 'imgproxy-cache-swift', ...headers },
        body,
      },
      { signal, fresh },
    );
  }
}

/** The status of an answer without a body that counts. @throws StatusError unless it is one of `accepted` */
export async function statusOf(answer: HttpAnswer, accepted: readonly number[]): Promise<number> {
  if (!accepted.includes(answer.status)) throw await statusError(answer);
  await discardBody(answer);
  return answer.status;
}

const PLAIN = /^[\w./~-]*$/;

/** An object's name, or a container's, as it stands in a path. */
export function encodedPath(name: string): string {
  return PLAIN.test(name) ? name : name.split('/').map(encodeURIComponent).join('/');
}
