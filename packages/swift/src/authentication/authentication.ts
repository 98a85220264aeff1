import type { CacheErrorCode, Clock } from '@imgproxy-cache/core/driver';
import type { HttpTransport, Retries } from '@imgproxy-cache/http-transport';
import { meaningOfSilence } from '../connection-failures.js';
import { parsedJson } from '../json-document.js';
import {
  AuthenticationError,
  NotSwiftError,
  StatusError,
  statusError,
  toFailure,
} from '../requests/failures.js';
import { judgeFailure } from '../requests/retries.js';
import type { SwiftConfig } from '../swift-config.js';
import { type VersionedUrl, versionInUrl, versionOffered } from './auth-version.js';
import { NoEndpointError } from './catalogue.js';
import {
  type Account,
  AUTH_METHODS,
  type AuthVersion,
  type TokenAnswer,
  type TokenRequest,
} from './methods.js';
import type { Session } from './session.js';

/** What {@link Authentication} asks with. */
export interface AuthenticationParts {
  readonly config: SwiftConfig;
  readonly transport: HttpTransport;
  readonly retries: Retries;
  readonly clock: Clock;
}

const URL_VARIABLE = 'IMGPROXY_CACHE_SWIFT_AUTH_URL';
const VERSION_VARIABLE = 'IMGPROXY_CACHE_SWIFT_AUTH_VERSION';
const PLACE_VARIABLES: Readonly<Record<AuthVersion, string>> = {
  1: '',
  2: ', IMGPROXY_CACHE_SWIFT_TENANT',
  3: ', IMGPROXY_CACHE_SWIFT_TENANT, IMGPROXY_CACHE_SWIFT_DOMAIN (its case counts), and that the user has a role on the project',
};

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
    const { authUrl } = this.#parts.config;
    try {
      this.#place ??= await this.#locate(signal);
      return await this.#exchange(this.#place, signal);
    } catch (thrown) {
      if (thrown instanceof AuthenticationError) throw thrown;
      const cause = toFailure(thrown);
      const version = this.#place?.version;
      const [code, meaning] =
        cause instanceof StatusError
          ? meaningOfStatus(cause.status, version)
          : cause instanceof NoEndpointError
            ? meaningOfCatalogue(cause, this.#parts.config)
            : cause instanceof NotSwiftError
              ? (['ERR_CACHE_UNAVAILABLE', notKeystone(cause.message)] as const)
              : meaningOfSilence(cause, URL_VARIABLE);
      throw new AuthenticationError(
        code,
        `cannot authenticate at ${new URL(authUrl).host}: ${meaning}`,
        cause,
      );
    }
  }

  async #locate(signal: AbortSignal): Promise<VersionedUrl> {
    const { authUrl: url, authVersion } = this.#parts.config;
    const version = authVersion === 0 ? versionInUrl(url) : (authVersion as AuthVersion);
    if (version !== undefined) return { version, url };
    const { status, document } = await this.#send({ method: 'GET', url, headers: {} }, signal);
    const offered = versionOffered(document, url);
    if (offered !== undefined) return offered;
    if (judgeFailure(new StatusError(status, undefined)) !== undefined)
      throw new StatusError(status, undefined);
    throw new AuthenticationError(
      'ERR_CACHE_CONFIG',
      `cannot authenticate at ${new URL(url).host}: neither ${URL_VARIABLE} nor its server (status ${status}) tells the version of the authentication: set ${VERSION_VARIABLE} to 1, 2 or 3`,
    );
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

function notKeystone(problem: string): string {
  return `what answered is neither Swift nor Keystone (${problem}): look at ${URL_VARIABLE} and at proxies and firewalls on the way`;
}

function meaningOfStatus(
  status: number,
  version: AuthVersion | undefined,
): readonly [CacheErrorCode, string] {
  const place = version === undefined ? '' : PLACE_VARIABLES[version];
  if (status === 401 || status === 403) {
    return [
      'ERR_CACHE_ACCESS_DENIED',
      `the server refuses user and key (status ${status}): check IMGPROXY_CACHE_SWIFT_USERNAME, IMGPROXY_CACHE_SWIFT_API_KEY${place}`,
    ];
  }
  if (status === 400) {
    return [
      'ERR_CACHE_CONFIG',
      `the server takes the request for malformed (status 400): check IMGPROXY_CACHE_SWIFT_USERNAME${place}, and ${VERSION_VARIABLE}`,
    ];
  }
  if (status === 429 || status === 498) {
    return ['ERR_CACHE_UNAVAILABLE', `the server asks for fewer requests (status ${status})`];
  }
  if (status >= 500 || status === 408 || status === 499) {
    return ['ERR_CACHE_UNAVAILABLE', `the server cannot serve now (status ${status})`];
  }
  if (status < 400) {
    return [
      'ERR_CACHE_CONFIG',
      `the server redirects (status ${status}), and user and key do not follow: set ${URL_VARIABLE} to where it leads, often the same with https://`,
    ];
  }
  const ending = version === 1 ? '/auth/v1.0' : version === 2 ? '/v2.0' : '/v3';
  return [
    'ERR_CACHE_CONFIG',
    `there is no authentication of version ${version ?? 'any'} (status ${status}): set ${URL_VARIABLE}, which then mostly ends in ${ending}, or ${VERSION_VARIABLE}`,
  ];
}

function meaningOfCatalogue(
  { regions }: NoEndpointError,
  { region, tenant }: SwiftConfig,
): readonly [CacheErrorCode, string] {
  if (regions.length > 0) {
    return [
      'ERR_CACHE_CONFIG',
      `the catalogue has no object store in the region ${JSON.stringify(region)}: set IMGPROXY_CACHE_SWIFT_REGION to one of ${regions.join(', ')}`,
    ];
  }
  const remedy =
    tenant === ''
      ? 'set IMGPROXY_CACHE_SWIFT_TENANT, since the user has no default project'
      : 'ask the operator of the cloud whether the project has object storage';
  return ['ERR_CACHE_CONFIG', `the catalogue of the project has no object store: ${remedy}`];
}
