/** A driver that hosts use. */
export type CacheUse = 'fs' | 's3';

/** Variables of a process. */
export type Environment = Readonly<Record<string, string>>;

/** Where the stores of a cache are. */
export interface StorePlaces {
  readonly folder?: string | undefined;
  readonly endpoint?: string | undefined;
}

const BUCKET = 'cache';
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'SOAKKEY',
  AWS_SECRET_ACCESS_KEY: 'soak-secret',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** The variables that choose and configure a cache's drivers. */
export function driverVariables(use: CacheUse, { folder, endpoint }: StorePlaces): Environment {
  return {
    IMGPROXY_CACHE_USE: use,
    ...(folder !== undefined && { IMGPROXY_CACHE_FS_ROOT: folder }),
    ...(endpoint !== undefined && {
      IMGPROXY_CACHE_BUCKET: BUCKET,
      IMGPROXY_CACHE_S3_ENDPOINT: endpoint,
      IMGPROXY_CACHE_S3_REGION: 'us-west-1',
      ...CREDENTIALS,
    }),
  };
}
