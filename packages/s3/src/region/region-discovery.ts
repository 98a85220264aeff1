import { GetBucketLocationCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import type { BucketRequest } from '../requests/bucket-clients.js';
import { StoreError } from '../requests/failures.js';
import { type RegionUse, toRegionName } from './region-names.js';
import { namedRegion } from './wrong-region.js';

/** What a region is discovered with. */
export interface RegionDiscovery {
  readonly bucket: string;
  /** The region that is asked. */
  readonly asked: string;
  readonly use: RegionUse;
  /** Sends a request to that region. */
  send<Result>(request: BucketRequest<Result>): Promise<Result>;
}

/**
 * Asks S3 for the region of a bucket. HeadBucket needs no permission, since even a refusal names the region. Stores that
 * do not answer it so may answer GetBucketLocation, or refuse it with the region's name.
 * @returns `undefined` if the store does not say
 */
export async function discoverRegion(discovery: RegionDiscovery): Promise<string | undefined> {
  const { bucket: Bucket, asked, use, send } = discovery;
  const fromHead = await regionFrom(use, async () => {
    const answer = await send(({ sdk, options }) => sdk.send(new HeadBucketCommand({ Bucket }), options));
    return answer.BucketRegion;
  });
  if (fromHead !== undefined && fromHead !== asked) return fromHead;
  return await regionFrom(use, async () => {
    const answer = await send(({ sdk, options }) =>
      sdk.send(new GetBucketLocationCommand({ Bucket }), options),
    );
    return answer.LocationConstraint || 'us-east-1';
  });
}

async function regionFrom(
  use: RegionUse,
  ask: () => Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    return toRegionName(await ask(), use);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return namedRegion(error, use);
  }
}
