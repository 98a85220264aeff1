import {
  CacheError,
  type CacheErrorCode,
  type CacheErrorDetails,
  type CacheOperation,
  isCacheError,
} from '@imgproxy-cache/core/driver';
import { meaningOfFailure, PROXY_LOGIN } from '@imgproxy-cache/http-transport';
import {
  AuthenticationError,
  BodyEndedError,
  NoContainerError,
  NotSwiftError,
  StatusError,
  toFailure,
} from './requests/failures.js';

type Meaning = readonly [code: CacheErrorCode, meaning: string];

const AUTH_URL = 'IMGPROXY_CACHE_SWIFT_AUTH_URL';
const FULL = 'the quota of the account or container is used up: delete old entries or enlarge it';

const STATUSES: Readonly<Record<number, Meaning>> = {
  401: [
    'ERR_CACHE_ACCESS_DENIED',
    'the store refuses a token that is new: look whether its proxy asks the same identity service, and at their clocks',
  ],
  408: ['ERR_CACHE_TIMEOUT', 'the store waited for the request in vain: look at the network'],
  499: ['ERR_CACHE_TIMEOUT', 'the store waited for the request in vain: look at the network'],
  411: ['ERR_CACHE_UNSUPPORTED', 'the store, or a proxy on the way, does not see the length of the body'],
  413: ['ERR_CACHE_TOO_LARGE', 'the store takes no object of this size: lower IMGPROXY_CACHE_MAX_ENTRY_SIZE'],
  429: ['ERR_CACHE_UNAVAILABLE', 'the store asks for fewer requests'],
  498: ['ERR_CACHE_UNAVAILABLE', 'the store asks for fewer requests'],
  507: ['ERR_CACHE_NO_SPACE', 'the disks of the store are full'],
};

/** What an access control list of the container, or a role, must grant. */
const RIGHTS: Partial<Record<CacheOperation, readonly [right: string, option: string]>> = {
  get: ['read', '--read-acl'],
  list: ['read', '--read-acl'],
  put: ['write', '--write-acl'],
  delete: ['write', '--write-acl'],
};

/** What Swift, Keystone or the network answered, in the cache's words. A CacheError stays as it is. */
export function toCacheError(thrown: unknown, operation: CacheOperation, container: string): CacheError {
  if (isCacheError(thrown)) return thrown;
  const cause = toFailure(thrown);
  const [code, meaning] = meaningOf(cause, operation, container);
  const message = `cannot ${operation} in the container ${container}: ${meaning}`;
  if (operation === 'get' && code === 'ERR_CACHE_UNSUPPORTED') {
    // Of a look-up that code means an entry of a newer format.
    return swiftError('ERR_CACHE_UNAVAILABLE', message, operation, { cause, retryable: false });
  }
  return swiftError(code, message, operation, { cause });
}

export function swiftError(
  code: CacheErrorCode,
  message: string,
  operation: CacheOperation,
  details: Pick<CacheErrorDetails, 'cause' | 'failedNames' | 'retryable'> = {},
): CacheError {
  return new CacheError(code, message, { driver: 'swift', operation, ...details });
}

/** What is stored under a name is not what was put there. */
export function corrupt(name: string, problem: string): CacheError {
  return swiftError('ERR_CACHE_CORRUPT', `entry ${name} is corrupt: ${problem}`, 'get');
}

function meaningOf(thrown: Error, operation: CacheOperation, container: string): Meaning {
  if (thrown instanceof AuthenticationError) return [thrown.code, thrown.message];
  if (thrown instanceof NoContainerError) return meaningOfNoContainer(container);
  if (thrown instanceof NotSwiftError) {
    return [
      'ERR_CACHE_UNAVAILABLE',
      `what answered is not Swift (${thrown.message}): look at ${AUTH_URL}, the storage URL it gives, and proxies and firewalls on the way`,
    ];
  }
  if (thrown instanceof BodyEndedError) {
    return ['ERR_CACHE_UNAVAILABLE', `${thrown.message}: the store, or a proxy on the way, broke it off`];
  }
  if (thrown instanceof StatusError) return meaningOfStatus(thrown, operation, container);
  return meaningOfFailure(thrown, AUTH_URL);
}

function meaningOfNoContainer(container: string): Meaning {
  return [
    'ERR_CACHE_NO_BUCKET',
    `there is no such container: create it (swift post ${JSON.stringify(container)}), or set IMGPROXY_CACHE_BUCKET, and IMGPROXY_CACHE_SWIFT_REGION if the cloud has several regions`,
  ];
}

function meaningOfStatus(
  { status, overQuota }: StatusError,
  operation: CacheOperation,
  container: string,
): Meaning {
  if (overQuota) return ['ERR_CACHE_NO_SPACE', `${FULL} (status ${status})`];
  if (status === 407) return ['ERR_CACHE_UNAVAILABLE', PROXY_LOGIN];
  if (status === 403) return ['ERR_CACHE_ACCESS_DENIED', meaningOfDenial(operation, container)];
  const known = STATUSES[status];
  if (known !== undefined) return [known[0], `${known[1]} (status ${status})`];
  if (status >= 500 || status === 202 || status === 409) {
    const trouble =
      status < 500 ? 'other writes of the name kept overtaking this one' : 'the store cannot serve now';
    return ['ERR_CACHE_UNAVAILABLE', `${trouble} (status ${status})`];
  }
  if (status < 400) {
    return [
      'ERR_CACHE_UNAVAILABLE',
      `what answered is not Swift (status ${status}): look at ${AUTH_URL}, the storage URL it gives, and proxies and firewalls on the way`,
    ];
  }
  return ['ERR_CACHE_UNSUPPORTED', `the store refuses the request (status ${status})`];
}

function meaningOfDenial(operation: CacheOperation, container: string): string {
  const [right, option] = RIGHTS[operation] ?? RIGHTS.put ?? [];
  return `the user may not ${right} there (status 403): give it a role of Swift's operator_roles on the project, or, as the least right, run swift post ${JSON.stringify(container)} ${option} '<project>:<user>' (by their ids with Keystone, as account:user with version 1); --read-acl and --write-acl replace what was set before`;
}
