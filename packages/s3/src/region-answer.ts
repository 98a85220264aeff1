import { type ErrorAnswer, isErrorAnswer } from './error-answer.js';

/** What an answer says of a bucket that is not where it was asked for. */
export interface WrongRegion {
  /** The region that it names; `undefined` where it names none, or nothing that can be a region. */
  readonly region: string | undefined;
  /** Where it points to, as `http(s)://host[:port]`: to tell the operator, never to be followed. */
  readonly location: string | undefined;
}

/** How a region is used, which decides what may be one. */
export type RegionUse = 'host-name' | 'signature';

// AWS's regions, such as us-west-1, us-gov-east-1 and eusc-de-east-1: they become a part of a host name.
const AWS_REGION = /^(?!fips-)[a-z]{2}(?:[a-z]{2})?-(?:[a-z]{2,10}-){1,2}[0-9]{1,2}$/;
// Other stores call their regions as they like, and only the signature carries the name. A part of a signature is none.
const HOST_LABEL = /^(?!.*[0-9a-f]{20})[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
const LEGACY_NAMES: ReadonlyMap<string, string> = new Map([
  ['EU', 'eu-west-1'],
  ['US', 'us-east-1'],
]);

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** Codes that say that the region is wrong, whether or not they name the right one. */
const WRONG_REGION_CODES: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'Redirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

const SIGNATURE_PART = /[0-9a-f]{20}/;

const EXPECTED_REGION = /\bexpecting '([^']{1,64})'/;

/** A region that came over the wire, if it is one: the legacy names of AWS are translated. */
export function toRegionName(value: unknown, use: RegionUse): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = LEGACY_NAMES.get(value) ?? value;
  return (use === 'host-name' ? AWS_REGION : HOST_LABEL).test(name) ? name : undefined;
}

/** The constraint that GetBucketLocation answers: a blank one is us-east-1. */
export function toBucketLocation(constraint: string | undefined, use: RegionUse): string | undefined {
  return toRegionName(constraint || 'us-east-1', use);
}

/** Whether an operator may call a region so. */
export function isRegionName(value: string): boolean {
  return HOST_LABEL.test(value);
}

/** The region that any answer names, right or wrong, success or failure. */
export function namedRegion(answer: unknown, use: RegionUse): string | undefined {
  if (!isErrorAnswer(answer)) return undefined;
  return (
    toRegionName(answer.$response?.headers['x-amz-bucket-region'], use) ??
    toRegionName(answer.Region, use) ??
    toRegionName(expectedRegion(answer), use)
  );
}

/** The region in the message of a refused signature. */
export function expectedRegion({ message }: ErrorAnswer): string | undefined {
  return EXPECTED_REGION.exec(message)?.[1];
}

/**
 * Reads what S3 and its kin say where a bucket is in another region than the one asked: a redirect, a code of the
 * 400 family, or any refusal that names another region.
 */
export function readWrongRegion(thrown: unknown, asked: string, use: RegionUse): WrongRegion | undefined {
  if (!isErrorAnswer(thrown)) return undefined;
  const { httpStatusCode: status = 0 } = thrown.$metadata;
  if (status < 300 || status >= 500) return undefined;
  const region = namedRegion(thrown, use);
  if (region === asked) return undefined;
  const saysSo = REDIRECTS.has(status) || WRONG_REGION_CODES.has(thrown.name);
  if (!saysSo && region === undefined) return undefined;
  return { region, location: originOf(thrown.$response?.headers['location']) };
}

/** `http(s)://host[:port]` of a redirect: the path and query may be anything. */
export function originOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  const { protocol, origin } = new URL(location);
  if (SIGNATURE_PART.test(origin)) return undefined;
  return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
}
