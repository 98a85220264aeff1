import {
  CacheError,
  type CacheErrorCode,
  type CacheErrorDetails,
  type CacheOperation,
  isCacheError,
} from '@imgproxy-cache/core/driver';
import { meaningOfFailure, PROXY_LOGIN, TransportError } from '@imgproxy-cache/http-transport';
import { CredentialsUnavailableError, ExchangeTimeoutError } from '../credentials/credential-renewal.js';
import { NoCredentialsError } from '../credentials/no-credentials-error.js';
import { WrongRegionError } from '../region/wrong-region.js';
import { describeTarget, endpointWithoutBucket, type S3Target } from './endpoint.js';
import { BodyEndedError, NotS3Error, StoreError, toFailure } from './failures.js';

type Meaning = readonly [code: CacheErrorCode, meaning: string];

const KEYS =
  'check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile or role they come from';
const REGION = 'set IMGPROXY_CACHE_S3_REGION to the region of the bucket, as its store calls it';
const denied = (meaning: string): Meaning => ['ERR_CACHE_ACCESS_DENIED', meaning];
const EXPIRED = denied(`the session token has expired and there is no newer one: ${KEYS}`);
const CLOCK = denied("this machine's clock differs too much from the store's: set it, by NTP best");
const FULL: Meaning = [
  'ERR_CACHE_NO_SPACE',
  'the store or its quota is full: delete old entries or enlarge it',
];
const TOO_LARGE: Meaning = [
  'ERR_CACHE_TOO_LARGE',
  'the store refuses an object of this size: lower IMGPROXY_CACHE_MAX_ENTRY_SIZE',
];
const SLOW_REQUEST: Meaning = [
  'ERR_CACHE_TIMEOUT',
  'the request did not reach the store in time: check the network',
];

/** Codes that mean the same whatever their status: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const CODES: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  [
    'NoSuchBucket',
    [
      'ERR_CACHE_NO_BUCKET',
      'there is no such bucket: create it, or set IMGPROXY_CACHE_BUCKET to the right one',
    ],
  ],
  // Of a get it is a miss, and does not come here.
  [
    'NoSuchKey',
    ['ERR_CACHE_UNAVAILABLE', 'the store takes the request to the bucket for one to an object in it'],
  ],
  ['InvalidBucketName', ['ERR_CACHE_CONFIG', 'that is no name of a bucket: set IMGPROXY_CACHE_BUCKET']],
  ['InvalidRegionName', ['ERR_CACHE_CONFIG', REGION]],
  ['InvalidAccessKeyId', denied(`the store does not know the access key: ${KEYS}`)],
  ['InvalidClientTokenId', denied(`STS does not know the access key: ${KEYS}`)],
  ['InvalidToken', denied(`the session token is not valid: ${KEYS}`)],
  [
    'SignatureDoesNotMatch',
    denied(`the store computes another signature: ${KEYS}; a proxy that changes requests does the same`),
  ],
  [
    'AuthorizationHeaderMalformed',
    denied(`the store does not accept the form of the signature: ${KEYS}, and IMGPROXY_CACHE_S3_REGION`),
  ],
  ['ExpiredToken', EXPIRED],
  ['ExpiredTokenException', EXPIRED],
  ['RequestTimeTooSkewed', CLOCK],
  ['RequestExpired', CLOCK],
  ['RequestTimeout', SLOW_REQUEST],
  ['EntityTooLarge', TOO_LARGE],
  ['QuotaExceeded', FULL],
  ['InsufficientCapacity', FULL],
  ['XMinioStorageFull', FULL],
]);

const STATUSES: Readonly<Record<number, Meaning>> = {
  401: denied(KEYS),
  407: ['ERR_CACHE_UNAVAILABLE', PROXY_LOGIN],
  408: SLOW_REQUEST,
  413: TOO_LARGE,
  429: ['ERR_CACHE_UNAVAILABLE', 'the store asks for fewer requests'],
  501: ['ERR_CACHE_UNSUPPORTED', 'the store does not know this operation'],
  507: FULL,
};

/** The action of IAM behind each operation, and whether it is granted on the objects or on the bucket. */
const ACTIONS: Partial<Record<CacheOperation, readonly [action: string, resource: string]>> = {
  get: ['s3:GetObject', '/*'],
  put: ['s3:PutObject', '/*'],
  delete: ['s3:DeleteObject', '/*'],
  list: ['s3:ListBucket', ''],
};

/** The line of a policy that grants an operation. */
export function policyLine(operation: CacheOperation, bucket: string): string {
  const [action, resource] = ACTIONS[operation] ?? ['s3:*', '/*'];
  return `{"Effect": "Allow", "Action": "${action}", "Resource": "arn:aws:s3:::${bucket}${resource}"}`;
}

/** What {@link toCacheError} needs to know of a failed operation. */
export interface FailedOperation {
  readonly operation: CacheOperation;
  readonly target: S3Target;
  /** Of a `delete`: the names that may still be stored. */
  readonly failedNames?: readonly string[] | undefined;
}

/**
 * The error of an operation, made of whatever S3, STS, the SDK or the network threw. This is the only place that does so.
 * A CacheError stays as it is.
 */
export function toCacheError(thrown: unknown, failed: FailedOperation): CacheError {
  const { operation, target, failedNames } = failed;
  if (isCacheError(thrown) && failedNames === undefined) return thrown;
  // A store's answer was checked where the credentials are known. Of anything else nothing is believed.
  const cause = toFailure(thrown, () => true);
  const error = isCacheError(cause) ? cause : errorOf(cause, operation, target);
  if (failedNames === undefined) return error;
  const message = `${failedNames.length} entries may still be stored: ${error.message}`;
  return s3Error(error.code, message, {
    operation,
    failedNames,
    retryable: error.retryable,
    cause: error.cause,
  });
}

function errorOf(cause: Error, operation: CacheOperation, target: S3Target): CacheError {
  const [code, meaning] = meaningOf(cause, operation, target);
  const message = `cannot ${operation} in ${describeTarget(target)}: ${meaning}${hintOfEndpoint(cause, target)}`;
  if (operation === 'get' && code === 'ERR_CACHE_UNSUPPORTED') {
    // Of a get that code means an entry of a newer format.
    return s3Error('ERR_CACHE_UNAVAILABLE', message, { operation, cause, retryable: false });
  }
  return s3Error(code, message, { operation, cause });
}

function s3Error(code: CacheErrorCode, message: string, details: CacheErrorDetails): CacheError {
  return new CacheError(code, message, { driver: 's3', ...details });
}

/** Whether the store refused a permission, and not the credentials themselves. */
export function isRefusedPermission(thrown: unknown): boolean {
  return thrown instanceof StoreError && thrown.status === 403 && !CODES.has(thrown.name);
}

/** Answers of a store that looks for another bucket, and failures to reach a host that is not there. */
const OF_WRONG_ENDPOINT: ReadonlySet<string> = new Set([
  'NoSuchBucket',
  'NoSuchKey',
  'NotFound',
  'MethodNotAllowed',
  'SignatureDoesNotMatch',
  'NotS3Error',
  'WrongRegionError',
  'ENOTFOUND',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

function hintOfEndpoint(cause: Error, target: S3Target): string {
  const endpoint = endpointWithoutBucket(target);
  const kind = cause instanceof TransportError ? cause.code : cause.name;
  if (endpoint === undefined || !OF_WRONG_ENDPOINT.has(kind ?? '')) return '';
  return `. IMGPROXY_CACHE_S3_ENDPOINT holds the name of the bucket already, so requests hold it twice: set it to ${endpoint}`;
}

function meaningOf(thrown: unknown, operation: CacheOperation, target: S3Target): Meaning {
  if (thrown instanceof CredentialsUnavailableError) return meaningOfCredentials(thrown);
  if (thrown instanceof WrongRegionError) return meaningOfRegion(thrown, target);
  if (thrown instanceof NotS3Error) {
    return [
      'ERR_CACHE_UNAVAILABLE',
      `what answered is not S3 (${thrown.message}): look at IMGPROXY_CACHE_S3_ENDPOINT and at proxies and firewalls on the way`,
    ];
  }
  if (thrown instanceof BodyEndedError) {
    return ['ERR_CACHE_UNAVAILABLE', `${thrown.message}: the store, or a proxy on the way, broke it off`];
  }
  if (!(thrown instanceof StoreError)) return meaningOfFailure(thrown, 'IMGPROXY_CACHE_S3_ENDPOINT');
  const { name: code, isLate } = thrown;
  const status = isLate && code === 'AccessDenied' ? 403 : thrown.status;
  const [cacheCode, meaning] =
    CODES.get(code) ?? STATUSES[status] ?? meaningOfStatus(status, operation, target);
  if (isLate) return [cacheCode, `its answer began with status 200 and is an error: ${meaning} (${code})`];
  return [cacheCode, `${meaning} (${code === 'Unknown' ? '' : `${code}, `}status ${status})`];
}

function meaningOfStatus(status: number, operation: CacheOperation, target: S3Target): Meaning {
  if (status === 403) {
    const policy = `the policy of the user or role needs ${policyLine(operation, target.bucket)}`;
    // AWS has another code for a wrong secret.
    const denied =
      target.endpoint === undefined
        ? policy
        : `AWS_SECRET_ACCESS_KEY is wrong, which some stores answer so, or ${policy}`;
    return ['ERR_CACHE_ACCESS_DENIED', `access denied: ${denied}`];
  }
  if (status === 404 || status < 400) {
    return [
      'ERR_CACHE_UNAVAILABLE',
      'what answered is not S3: look at IMGPROXY_CACHE_S3_ENDPOINT and at proxies and firewalls on the way',
    ];
  }
  if (status >= 500) return ['ERR_CACHE_UNAVAILABLE', 'the store cannot serve now'];
  return ['ERR_CACHE_UNSUPPORTED', 'the store refuses the request'];
}

function meaningOfCredentials({ subject, cause }: CredentialsUnavailableError): Meaning {
  const trouble = `there are no credentials of ${subject}`;
  if (cause instanceof CredentialsUnavailableError) {
    const [code, meaning] = meaningOfCredentials(cause);
    return [code, `${trouble}: ${meaning}`];
  }
  if (cause instanceof ExchangeTimeoutError) return ['ERR_CACHE_TIMEOUT', `${trouble}: ${cause.message}`];
  if (cause instanceof NoCredentialsError) return [cause.code, `${trouble}: ${cause.message}`];
  if (!(cause instanceof StoreError)) {
    const [code, meaning] = meaningOfFailure(cause, 'AWS_ENDPOINT_URL_STS');
    return [code, `${trouble}: ${meaning}`];
  }
  return meaningOfSts(cause, trouble);
}

function meaningOfSts({ status, name: code }: StoreError, trouble: string): Meaning {
  const said = `STS answered ${code === 'Unknown' ? '' : `${code}, `}status ${status}`;
  const known = CODES.get(code);
  if (known !== undefined) return [known[0], `${trouble}: ${known[1]} (${said})`];
  if (/throttl|limitexceeded|slowdown/i.test(code) || status === 429 || status >= 500) {
    return ['ERR_CACHE_UNAVAILABLE', `${trouble}: STS cannot serve now (${said})`];
  }
  if (status === 403) {
    return [
      'ERR_CACHE_ACCESS_DENIED',
      `${trouble}: its trust policy must name this user, and IMGPROXY_CACHE_S3_ASSUME_ROLE_EXTERNAL_ID if it asks for one; this user needs the right sts:AssumeRole (${said})`,
    ];
  }
  return [
    'ERR_CACHE_CONFIG',
    `${trouble}: there is no such role, or its name is malformed: set IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN (${said})`,
  ];
}

function meaningOfRegion({ details }: WrongRegionError, target: S3Target): Meaning {
  const { asked, region, endpoint, cause } = details;
  if (endpoint !== undefined) {
    const place = region === undefined ? '' : ` The bucket is in ${region}.`;
    return [
      'ERR_CACHE_CONFIG',
      `the endpoint only points to ${endpoint}, which is never followed.${place} Set IMGPROXY_CACHE_S3_ENDPOINT=${endpoint}${region === undefined ? ' if that is your store' : ` and IMGPROXY_CACHE_S3_REGION=${region}`}`,
    ];
  }
  if (region !== undefined) {
    return ['ERR_CACHE_UNAVAILABLE', `${asked} says that it is in ${region}, and ${region} that it is not`];
  }
  const { status } = cause;
  if (status < 400 && target.endpoint !== undefined) {
    return [
      'ERR_CACHE_UNAVAILABLE',
      `the endpoint redirects (status ${status}) without naming a region: ${REGION}, and look at IMGPROXY_CACHE_S3_ENDPOINT`,
    ];
  }
  return ['ERR_CACHE_CONFIG', `it is not in ${asked}, and the store does not say where: ${REGION}`];
}
