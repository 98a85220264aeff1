import type { Clock } from '@imgproxy-cache/core/driver';
import type { HttpTransport, Retries } from '@imgproxy-cache/http-transport';
import { parsedJson } from '../json-document.js';
import { NotSwiftError, StatusError, statusError } from '../requests/failures.js';
import { judgeFailure } from '../requests/retries.js';
import type { SwiftConfig } from '../swift-config.js';
import { type AuthVersion, type VersionedUrl, versionInUrl, versionOffered } from './auth-version.js';
import { toAuthenticationError, UnknownVersionError } from './authentication-errors.js';
import { type Account, AUTH_METHODS, type TokenAnswer, type TokenRequest } from './methods.js';
import type { Session } from './session.js';

/** What {@link Authentication} asks with. */
export interface AuthenticationParts {
  readonly config: SwiftConfig;
  readonly transport: HttpTransport;
  readonly retries: Retries;
  readonly clock: Clock;
}

// A catalogue has a few hundred endpoints.
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const REFUSED: ReadonlySet<number> = new Set([400, 401, 403]);

/** Exchanges user and key for a token and the address of the store. */
export class Authentication {
  readonly #parts: AuthenticationParts;
  #place: VersionedUrl | undefined;

  constructor(parts: AuthenticationParts) {
    this.#parts = parts;
  }

  /** @throws AuthenticationError */
  async run(signal: AbortSignal): Promise<Session> {
    try {
      this.#place ??= await this.#locate(signal);
      return await this.#exchange(this.#place, signal);
    } catch (thrown) {
      const version = this.#place?.version;
      // The server may offer another version by now.
      this.#place = undefined;
      throw toAuthenticationError(thrown, this.#parts.config, version);
    }
  }

  async #locate(signal: AbortSignal): Promise<VersionedUrl> {
    const { authUrl: url, authVersion } = this.#parts.config;
    const version = authVersion === 0 ? versionInUrl(url) : (authVersion as AuthVersion);
    if (version !== undefined) return { version, url };
    const { status, document } = await this.#send({ method: 'GET', url, headers: {} }, signal);
    const offered = versionOffered(document, url);
    if (offered !== undefined) return offered;
    throw new UnknownVersionError(`status ${status}`);
  }

  async #exchange({ version, url }: VersionedUrl, signal: AbortSignal): Promise<Session> {
    const { config, clock } = this.#parts;
    const account: Account = { ...config, url };
    const method = AUTH_METHODS[version];
    let refusal: StatusError | undefined;
    for (const request of method.requests(account)) {
      const { status, ...answer } = await this.#send(request, signal);
      if (status >= 200 && status < 300) return method.read(answer, account, clock.now());
      refusal ??= new StatusError(status, undefined);
      if (!REFUSED.has(status)) break;
    }
    throw refusal ?? new NotSwiftError('nothing');
  }

  /** What is answered, unless it is a failure that passes: that is tried again, and thrown in the end. */
  #send(
    { method, url, headers, body }: TokenRequest,
    signal: AbortSignal,
  ): Promise<TokenAnswer & { readonly status: number }> {
    const { transport, retries, config } = this.#parts;
    const { origin, pathname } = new URL(url);
    const request = {
      method,
      origin,
      path: pathname,
      headers: { 'user-agent': 'imgproxy-cache-swift', ...headers },
      ...(body !== undefined && { body: Buffer.from(body) }),
    };
    return retries.run(
      async ({ fresh }) => {
        const answer = await transport.request(request, { signal, fresh });
        if (answer.status >= 400) {
          const error = await statusError(answer);
          if (judgeFailure(error) !== undefined) throw error;
          return { status: answer.status, headers: answer.headers, document: undefined };
        }
        const limits = { maxBytes: MAX_DOCUMENT_BYTES, timeout: config.timeout * 1000 };
        const { bytes, whole } = await answer.body.read(limits);
        if (!whole) throw new NotSwiftError('a document that does not end');
        return { status: answer.status, headers: answer.headers, document: parsedJson(bytes) };
      },
      judgeFailure,
      { signal },
    );
  }
}
