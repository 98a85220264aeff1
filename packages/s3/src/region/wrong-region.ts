import { KnownFailure, type StoreError } from '../requests/failures.js';
import { type RegionUse, toRegionName } from './region-names.js';

/** What a {@link WrongRegionError} knows. */
export interface WrongRegionDetails {
  /** The region that was asked. */
  readonly asked: string;
  /** The region of the bucket, if it is known. */
  readonly region?: string | undefined;
  /** The other endpoint that has the bucket. */
  readonly endpoint?: string;
  readonly cause: StoreError;
}

/** The bucket is in another region, and the request cannot be sent there, or was refused there too. */
export class WrongRegionError extends KnownFailure {
  override readonly name = 'WrongRegionError';
  readonly details: WrongRegionDetails;

  constructor(details: WrongRegionDetails) {
    super('the bucket is in another region', { cause: details.cause });
    this.details = details;
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** Codes of answers that refuse the region, whether or not they name the right one. */
const WRONG_REGION_CODES: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'Redirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

/** The region that an error answer names. */
export function namedRegion({ regions }: StoreError, use: RegionUse): string | undefined {
  return regions.map((region) => toRegionName(region, use)).find((region) => region !== undefined);
}

/**
 * Whether an answer says that the bucket is not in the region asked: by a redirect, by a code of status 400, or by
 * naming another region in any refusal.
 */
export function isWrongRegion(answer: StoreError, asked: string, use: RegionUse): boolean {
  if (answer.status < 300 || answer.status >= 500) return false;
  const region = namedRegion(answer, use);
  if (region === asked) return false;
  return region !== undefined || REDIRECTS.has(answer.status) || WRONG_REGION_CODES.has(answer.name);
}
