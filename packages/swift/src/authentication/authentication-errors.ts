import type { CacheErrorCode } from '@imgproxy-cache/core/driver';
import { meaningOfFailure, PROXY_LOGIN } from '@imgproxy-cache/http-transport';
import { AuthenticationError, NotSwiftError, StatusError, toFailure } from '../requests/failures.js';
import type { SwiftConfig } from '../swift-config.js';
import type { AuthVersion } from './auth-version.js';
import { NoEndpointError } from './catalogue.js';

type Meaning = readonly [code: CacheErrorCode, meaning: string];

const URL_VARIABLE = 'IMGPROXY_CACHE_SWIFT_AUTH_URL';
const VERSION_VARIABLE = 'IMGPROXY_CACHE_SWIFT_AUTH_VERSION';
const PLACE_VARIABLES: Readonly<Record<AuthVersion, string>> = {
  1: '',
  2: ', IMGPROXY_CACHE_SWIFT_TENANT',
  3: ', IMGPROXY_CACHE_SWIFT_TENANT, IMGPROXY_CACHE_SWIFT_DOMAIN (its case counts), and that the user has a role on the project',
};

/** Neither the address of the server nor the server tells the version of the authentication. */
export class UnknownVersionError extends NotSwiftError {}

/**
 * Why there is no token, and what to do.
 * @param version the one that was tried, if it is known
 */
export function toAuthenticationError(
  thrown: unknown,
  config: SwiftConfig,
  version: AuthVersion | undefined,
): AuthenticationError {
  if (thrown instanceof AuthenticationError) return thrown;
  const cause = toFailure(thrown);
  const [code, meaning] = meaningOf(cause, config, version);
  return new AuthenticationError(
    code,
    `cannot authenticate at ${new URL(config.authUrl).host}: ${meaning}`,
    cause,
  );
}

function meaningOf(cause: Error, config: SwiftConfig, version: AuthVersion | undefined): Meaning {
  if (cause instanceof StatusError) return meaningOfStatus(cause.status, version);
  if (cause instanceof NoEndpointError) return meaningOfCatalogue(cause, config);
  if (cause instanceof UnknownVersionError) {
    return [
      'ERR_CACHE_CONFIG',
      `neither ${URL_VARIABLE} nor its server (${cause.message}) tells the version of the authentication: set ${VERSION_VARIABLE} to 1, 2 or 3`,
    ];
  }
  return cause instanceof NotSwiftError ? notKeystone(cause.message) : meaningOfFailure(cause, URL_VARIABLE);
}

function notKeystone(problem: string): Meaning {
  return [
    'ERR_CACHE_UNAVAILABLE',
    `what answered is neither Swift nor Keystone (${problem}): look at ${URL_VARIABLE} and at proxies and firewalls on the way`,
  ];
}

function meaningOfStatus(status: number, version: AuthVersion | undefined): Meaning {
  const place = version === undefined ? '' : PLACE_VARIABLES[version];
  if (status === 401 || status === 403) {
    return [
      'ERR_CACHE_ACCESS_DENIED',
      `the server refuses user and key (status ${status}): check IMGPROXY_CACHE_SWIFT_USERNAME, IMGPROXY_CACHE_SWIFT_API_KEY${place}`,
    ];
  }
  if (status === 407) return ['ERR_CACHE_UNAVAILABLE', PROXY_LOGIN];
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

function meaningOfCatalogue({ regions }: NoEndpointError, { region, tenant }: SwiftConfig): Meaning {
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
