import { GetBucketLocationCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { isErrorAnswer } from './error-answer.js';
import { namedRegion, type RegionUse, toBucketLocation, toRegionName } from './region-answer.js';

/**
 * Asks S3 where a bucket is. HeadBucket needs no right, since even a refusal names the region; stores that do not
 * answer it so may answer GetBucketLocation, which a region that is not the bucket's may refuse by naming it.
 * @returns `undefined` where the store does not say.
 */
export async function discoverRegion(
  client: S3Client,
  bucket: string,
  asked: string,
  use: RegionUse,
  signal: AbortSignal,
): Promise<string | undefined> {
  const fromHead = await answered(
    client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal }),
    ({ BucketRegion }) => toRegionName(BucketRegion, use),
    use,
  );
  if (fromHead !== undefined && fromHead !== asked) return fromHead;
  return await answered(
    client.send(new GetBucketLocationCommand({ Bucket: bucket }), { abortSignal: signal }),
    ({ LocationConstraint }) => toBucketLocation(LocationConstraint, use),
    use,
  );
}

async function answered<Output>(
  request: Promise<Output>,
  regionOf: (output: Output) => string | undefined,
  use: RegionUse,
): Promise<string | undefined> {
  try {
    return regionOf(await request);
  } catch (error) {
    if (!isErrorAnswer(error)) throw error;
    return namedRegion(error, use);
  }
}
