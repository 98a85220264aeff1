import { type CacheErrorCode, isCacheError } from '@imgproxy-cache/core/driver';
import { ProxyConfigurationError, TransportError } from '@imgproxy-cache/http-transport';
import { type ErrorAnswer, isErrorAnswer } from './error-answer.js';
import { expectedRegion, isRegionName, originOf } from './region-answer.js';

/** Whether a text that came over the wire tells a credential that is in use. */
export type Reveals = (text: string) => boolean;

/** A failure that holds nothing from the wire unchecked: its message, fields and cause may be shown. */
export class KnownFailure extends Error {
  override readonly name: string = 'KnownFailure';
}

/** No place where credentials may be gave any. The message says what is wrong there and what mends it. */
export class NoCredentialsError extends KnownFailure {
  override readonly name = 'NoCredentialsError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The reason phrase given to an answer that began as a success and ended as an error. */
export const ENDED_AS_ERROR = 'began with status 200';

// A code has words; keys, tokens and signatures have digits, or capitals alone.
const CODE = /^(?=.*[a-z])(?=(?:\D*\d){0,3}\D*$)[A-Za-z][A-Za-z0-9.]{0,63}$/;
const isCode = (text: string): boolean => CODE.test(text);
const REQUEST_ID = /^(?!.*[0-9a-f]{40})[A-Za-z0-9-]{1,63}$/;
const isRequestId = (text: string): boolean => REQUEST_ID.test(text);
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/**
 * What may be told of an error answer of S3 or STS. Stores repeat in theirs what they were sent, session tokens and
 * access keys included, in elements of any name.
 */
export class StoreError extends KnownFailure implements ErrorAnswer {
  /** The store's code, or `Unknown`. */
  override readonly name: string;
  readonly $metadata: ErrorAnswer['$metadata'];
  readonly $response: ErrorAnswer['$response'];
  readonly Region: string | undefined;

  constructor(answer: ErrorAnswer, reveals: Reveals) {
    const { name, $metadata, $response, Region } = answer;
    const checked = (value: unknown, isWanted: (text: string) => boolean): string | undefined =>
      typeof value === 'string' && isWanted(value) && !reveals(value) ? value : undefined;
    const code = checked(name, isCode) ?? 'Unknown';
    const { httpStatusCode, attempts, requestId } = $metadata;
    super(`${code}, status ${httpStatusCode}`);
    this.name = code;
    this.$metadata = { httpStatusCode, attempts, requestId: checked(requestId, isRequestId) };
    const headers = $response?.headers ?? {};
    const location = originOf(headers['location']);
    this.$response = {
      headers: {
        'x-amz-bucket-region': checked(headers['x-amz-bucket-region'], isRegionName),
        location: location === undefined || reveals(location) ? undefined : location,
      },
      reason: $response?.reason === ENDED_AS_ERROR ? ENDED_AS_ERROR : undefined,
    };
    this.Region = checked(Region, isRegionName) ?? checked(expectedRegion(answer), isRegionName);
  }

  /** Whether the answer had begun as a success. */
  get isLate(): boolean {
    return this.$response?.reason === ENDED_AS_ERROR;
  }
}

/** What may be told of anything that was thrown. */
export function toFailure(thrown: unknown, reveals: Reveals): Error {
  if (thrown instanceof KnownFailure || thrown instanceof ProxyConfigurationError || isCacheError(thrown)) {
    return thrown;
  }
  if (thrown instanceof TransportError) {
    const { failure, message, host, stale, cause } = thrown;
    return new TransportError(failure, message, {
      host,
      stale,
      ...(cause === undefined ? {} : { cause: bareError(cause) }),
    });
  }
  return isErrorAnswer(thrown) ? new StoreError(thrown, reveals) : bareError(thrown);
}

/** An error without its message, in which parsers quote what they read; the stack stays. */
function bareError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error('something that is no error was thrown');
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return bareError(thrown.errors[0]);
  const { name, message, stack = '', code } = thrown as NodeJS.ErrnoException;
  const known = {
    name: isCode(name) ? name : 'Error',
    ...(SYSTEM_CODE.test(String(code)) && { code }),
  };
  const error = Object.assign(new Error(known.code ?? 'its message is not shown'), known);
  const frames = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : '';
  error.stack = `${known.name}: ${error.message}${frames}`;
  return error;
}
