import { isCacheError } from '@imgproxy-cache/core/driver';
import { ProxyConfigurationError, TransportError } from '@imgproxy-cache/http-transport';
import type { ServiceException } from '@smithy/core/client';
import { isRegionName, originOf, regionInMessage } from '../region/region-names.js';

/** Whether a text that came over the wire reveals a credential in use. */
export type Reveals = (text: string) => boolean;

/** A failure that holds nothing from the wire unchecked: its message, fields and cause may be shown. */
export class KnownFailure extends Error {
  override readonly name: string = 'KnownFailure';
}

/** A success that no S3 sends: something else answered. */
export class NotS3Error extends KnownFailure {
  override readonly name = 'NotS3Error';
}

/** A body ended before it was complete. */
export class BodyEndedError extends KnownFailure {
  override readonly name = 'BodyEndedError';

  /** @param code of the connection's failure, if it had one */
  constructor(received: number, size: number, code?: string) {
    super(`its body ended after ${received} of ${size} bytes${code === undefined ? '' : ` (${code})`}`);
  }
}

/** The parts of an error answer that the driver uses, as they came over the wire. */
export interface ErrorAnswer {
  /** The code in the document. */
  readonly code: string | undefined;
  readonly status: number;
  readonly requestId?: string | undefined;
  /** The regions it names, the most reliable first. */
  readonly regions?: readonly (string | undefined)[];
  /** The address it redirects to. */
  readonly location?: string | undefined;
  /** Whether it began as a success. */
  readonly isLate?: boolean;
  /** How long the store asks the client to wait, in milliseconds. */
  readonly retryAfter?: number | undefined;
  /** The store's time, in milliseconds since the epoch, if it refused the time of the request. */
  readonly storeTime?: number | undefined;
}

// A code has words; keys, tokens and signatures have digits, or capitals alone.
const CODE = /^(?=.*[a-z])(?=(?:\D*\d){0,3}\D*$)[A-Za-z][A-Za-z0-9.]{0,63}$/;
const isCode = (text: string): boolean => CODE.test(text);
const REQUEST_ID = /^(?!.*[0-9a-f]{40})[A-Za-z0-9-]{1,63}$/;
const isRequestId = (text: string): boolean => REQUEST_ID.test(text);
const SYSTEM_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/**
 * An error answer of S3 or STS without anything that may be secret. Stores repeat what they were sent, session tokens
 * and access keys included, in elements of any name.
 */
export class StoreError extends KnownFailure {
  /** The store's code, or `Unknown`. */
  override readonly name: string;
  /** Where the SDK's rules for retries look. */
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string | undefined };
  readonly regions: readonly string[];
  readonly location: string | undefined;
  readonly isLate: boolean;
  readonly retryAfter: number | undefined;
  readonly storeTime: number | undefined;

  constructor(answer: ErrorAnswer, reveals: Reveals) {
    const { status, isLate = false, retryAfter, storeTime } = answer;
    const checked = (text: string | undefined, isWanted: (text: string) => boolean): string | undefined =>
      text !== undefined && isWanted(text) && !reveals(text) ? text : undefined;
    const code = checked(answer.code, isCode) ?? 'Unknown';
    super(`${code}, status ${status}`);
    this.name = code;
    this.$metadata = { httpStatusCode: status, requestId: checked(answer.requestId, isRequestId) };
    this.regions = (answer.regions ?? []).filter((region) => checked(region, isRegionName)) as string[];
    this.location = checked(originOf(answer.location), () => true);
    this.isLate = isLate;
    this.retryAfter = retryAfter;
    this.storeTime = storeTime;
  }

  get status(): number {
    return this.$metadata.httpStatusCode;
  }
}

/** Whether the store says that the object does not exist. Nothing else says so: anything may answer 404. */
export function isNoSuchKey(thrown: unknown): boolean {
  return thrown instanceof StoreError && thrown.name === 'NoSuchKey';
}

/** Whatever was thrown, without anything that may be secret. */
export function toFailure(thrown: unknown, reveals: Reveals): Error {
  if (thrown instanceof KnownFailure || thrown instanceof ProxyConfigurationError || isCacheError(thrown)) {
    return thrown;
  }
  if (thrown instanceof TransportError) {
    const { failure, message, host, proxy, stale, cause } = thrown;
    const details = { host, proxy, stale, ...(cause !== undefined && { cause: bareError(cause) }) };
    return new TransportError(failure, message, details);
  }
  return answerOf(thrown, reveals) ?? bareError(thrown);
}

/** What the SDK made of an error answer of STS. */
function answerOf(thrown: unknown, reveals: Reveals): StoreError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { name: code, message, $metadata } = thrown as ServiceException;
  if ($metadata?.httpStatusCode === undefined) return undefined;
  const { httpStatusCode: status, requestId } = $metadata;
  return new StoreError({ code, status, requestId, regions: [regionInMessage(message)] }, reveals);
}

/** An error without its message, in which parsers quote what they read. The stack stays. */
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
