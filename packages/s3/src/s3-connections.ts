import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { Clock } from '@imgproxy-cache/core/driver';
import type { HttpHandler, HttpRequest, HttpResponse } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { HttpHandlerOptions, Logger } from '@smithy/types';
import { StoreTimeoutError } from './store-timeout.js';

/** Limits of the connections, times in milliseconds. */
export interface ConnectionLimits {
  /** Most connections at a time; more requests wait. */
  readonly maxSockets: number;
  readonly connectTimeout: number;
  /** From the moment a request is handed over, waiting for a connection included, to the answer's headers. */
  readonly responseTimeout: number;
}

/** Agents of a host's own, for a proxy or a resolver of its own. The driver destroys them when it is closed. */
export interface S3Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** What connections are made with. */
export interface ConnectionParts {
  readonly clock: Clock;
  /** Where the SDK's handler warns of a pool that is too small. */
  readonly logger: Logger;
  readonly agents: S3Agents | undefined;
}

// Idle connections are closed before stores and firewalls drop them.
const IDLE_LIFETIME = 15_000;

/** How the SDK counts attempts, for the store to see: `attempt=1; max=3`. */
const ATTEMPT_HEADER = 'amz-sdk-request';

/**
 * The connections of all regions, and of STS. A deadline of our own ends what the SDK's options leave open in
 * some of its versions; the last attempt of a request gets a connection that nobody has used, since after a
 * network change all those of the pool may be dead.
 */
export class S3Connections implements HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #pooled: NodeHttpHandler;
  readonly #fresh: NodeHttpHandler;
  readonly #agents: readonly http.Agent[];

  constructor(limits: ConnectionLimits, { clock, logger, agents }: ConnectionParts) {
    this.#limits = limits;
    this.#clock = clock;
    const pooled = agents ?? makeAgents(limits, clock, true);
    const fresh = agents ?? makeAgents(limits, clock, false);
    this.#agents = [pooled.http, pooled.https, fresh.http, fresh.https];
    this.#pooled = handlerOf(pooled, logger);
    this.#fresh = handlerOf(fresh, logger);
  }

  async handle(
    request: HttpRequest,
    { abortSignal, ...options }: HttpHandlerOptions = {},
  ): Promise<{ response: HttpResponse }> {
    const handler = isLastAttempt(request) ? this.#fresh : this.#pooled;
    const abort = new AbortController();
    const release = forwardAbort(abortSignal, abort);
    let late = false;
    const deadline = this.#clock.setTimer(() => {
      late = true;
      abort.abort();
    }, this.#limits.responseTimeout);
    try {
      const { response } = await handler.handle(request, { ...options, abortSignal: abort.signal });
      response.body.once('close', release);
      return { response };
    } catch (error) {
      release();
      throw late ? new StoreTimeoutError('no answer', this.#limits.responseTimeout) : error;
    } finally {
      deadline.cancel();
    }
  }

  /** For the SDK's clients, which come and go: nothing. {@link close} ends the connections. */
  destroy(): void {}

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

function isLastAttempt(request: HttpRequest): boolean {
  const [, attempt, max] = /^attempt=(\d+); max=(\d+)$/.exec(request.headers[ATTEMPT_HEADER] ?? '') ?? [];
  return attempt !== undefined && attempt !== '1' && attempt === max;
}

function forwardAbort(from: HttpHandlerOptions['abortSignal'], to: AbortController): () => void {
  if (!(from instanceof AbortSignal)) return () => {};
  if (from.aborted) to.abort(from.reason);
  const forward = (): void => to.abort(from.reason);
  from.addEventListener('abort', forward, { once: true });
  return () => from.removeEventListener('abort', forward);
}

function handlerOf({ http: httpAgent, https: httpsAgent }: S3Agents, logger: Logger): NodeHttpHandler {
  return new NodeHttpHandler({ httpAgent, httpsAgent, logger });
}

function makeAgents(
  { maxSockets, connectTimeout }: ConnectionLimits,
  clock: Clock,
  keepAlive: boolean,
): S3Agents {
  const options = { keepAlive, maxSockets, timeout: IDLE_LIFETIME };
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };
  limitConnecting(agents.http, 'connect', connectTimeout, clock);
  limitConnecting(agents.https, 'secureConnect', connectTimeout, clock);
  return agents;
}

function limitConnecting(agent: http.Agent, connected: string, timeout: number, clock: Clock): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback): Duplex | null | undefined => {
    const socket = connect(options, callback);
    if (socket === null || socket === undefined) return socket;
    const deadline = clock.setTimer(() => {
      socket.destroy(new StoreTimeoutError('no connection', timeout));
    }, timeout);
    const cancel = (): void => deadline.cancel();
    socket.once(connected, cancel).once('close', cancel);
    return socket;
  };
}
