import type { ConfigFault, ConfigTable, ConfigValues, Environment } from '@imgproxy-cache/core/driver';
import { findEnvironmentFaults } from './credentials/aws-environment.js';
import { isRegionName } from './region/region-names.js';
import { parseEndpoint, problemOfEndpoint, type S3Target } from './requests/endpoint.js';

/** The driver's variables. */
export const s3Config = {
  bucket: {
    variable: 'IMGPROXY_CACHE_BUCKET',
    type: 'string',
    default: '',
    required: true,
    doc: 'The bucket that holds the cache. It must exist.',
  },
  region: {
    variable: 'IMGPROXY_CACHE_S3_REGION',
    type: 'string',
    default: '',
    doc: 'The region of the first request. Blank: AWS_REGION, then the shared configuration file, then us-west-1. A bucket in another region is found and remembered.',
  },
  endpoint: {
    variable: 'IMGPROXY_CACHE_S3_ENDPOINT',
    type: 'string',
    default: '',
    doc: 'The address of a store other than AWS, such as https://minio.example.com:9000. Without a scheme it is http://. Blank: AWS.',
  },
  usePathStyle: {
    variable: 'IMGPROXY_CACHE_S3_ENDPOINT_USE_PATH_STYLE',
    type: 'boolean',
    default: true,
    doc: 'Whether the bucket is addressed as endpoint/bucket. False: bucket.endpoint. Used only with an endpoint.',
  },
  assumeRoleArn: {
    variable: 'IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN',
    type: 'string',
    default: '',
    doc: 'The role to assume through STS with the credentials of the environment. Blank: none.',
  },
  assumeRoleExternalId: {
    variable: 'IMGPROXY_CACHE_S3_ASSUME_ROLE_EXTERNAL_ID',
    type: 'string',
    default: '',
    doc: "The external ID that the role's trust policy asks for. Blank: none.",
    secret: true,
  },
  useDecryptionClient: {
    variable: 'IMGPROXY_CACHE_S3_USE_DECRYPTION_CLIENT',
    type: 'boolean',
    default: false,
    doc: "imgproxy's client-side encryption. Only false is supported: JavaScript has no maintained client for it.",
  },
  useSdkCommands: {
    variable: 'IMGPROXY_CACHE_S3_USE_SDK_COMMANDS',
    type: 'boolean',
    default: false,
    doc: "Whether objects are read and stored by the AWS SDK's own commands, at several times the CPU: for comparisons, and for a store that accepts nothing else. The requests are the same.",
  },
  maxSockets: {
    variable: 'IMGPROXY_CACHE_S3_MAX_SOCKETS',
    type: 'integer',
    default: 128,
    min: 1,
    max: 10_000,
    doc: 'Most connections to the store at a time. Further requests wait for one.',
  },
  connectTimeout: {
    variable: 'IMGPROXY_CACHE_S3_CONNECT_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 3,
    min: 0.01,
    max: 600,
    doc: 'Longest time to connect, including TLS, in seconds.',
  },
  responseTimeout: {
    variable: 'IMGPROXY_CACHE_S3_RESPONSE_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 10,
    min: 0.01,
    max: 600,
    doc: 'Longest time from a request to the first byte of its response, in seconds. There are up to three attempts.',
  },
  idleTimeout: {
    variable: 'IMGPROXY_CACHE_S3_IDLE_TIMEOUT_SECONDS',
    type: 'decimal',
    default: 10,
    min: 0.01,
    max: 600,
    doc: 'Longest wait for a body that brings nothing, or fewer than 1,024 bytes a second, in seconds. Only time in which the reader waits counts.',
  },
} as const satisfies ConfigTable;

/** Values of {@link s3Config}. */
export type S3Config = ConfigValues<typeof s3Config>;

/** Where a valid configuration says that the bucket is. */
export function targetOf({ bucket, endpoint, usePathStyle }: S3Config): S3Target {
  return {
    bucket,
    endpoint: endpoint === '' ? undefined : { url: parseEndpoint(endpoint), pathStyle: usePathStyle },
  };
}

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/;
const ACCESS_POINT = /^arn:[a-z-]+:s3[a-z-]*:[a-z0-9-]*:[0-9]{12}:[\w/:.-]{1,200}$/;
const ROLE = /^arn:[\w-]+:(?:iam|sts):[^\s:]*:[^\s:]*:\S{1,1000}$/;

/** Faults in valid values, and in the variables of the SDK. */
export function findFaults(config: S3Config, env: Environment = process.env): readonly ConfigFault[] {
  const problems: readonly (readonly [keyof typeof s3Config, string | undefined])[] = [
    ['bucket', problemOfBucket(config)],
    ['region', problemOfRegion(config.region)],
    ['endpoint', config.endpoint === '' ? undefined : problemOfEndpoint(config.endpoint)],
    ['assumeRoleArn', problemOfRole(config.assumeRoleArn)],
    ['assumeRoleExternalId', problemOfExternalId(config)],
    [
      'useDecryptionClient',
      config.useDecryptionClient
        ? 'is true: client-side encryption is not supported, since JavaScript has no maintained client for it; use the encryption of the bucket itself (SSE-S3 or SSE-KMS), which needs no setting here'
        : undefined,
    ],
  ];
  const faults = problems.flatMap(([property, message]) =>
    message === undefined ? [] : [{ variable: s3Config[property].variable, message }],
  );
  return [...faults, ...findEnvironmentFaults(env)];
}

function problemOfBucket({ bucket, endpoint }: S3Config): string | undefined {
  if (ACCESS_POINT.test(bucket)) {
    return endpoint === ''
      ? undefined
      : 'is the ARN of an access point, which is only reached without IMGPROXY_CACHE_S3_ENDPOINT';
  }
  if (BUCKET.test(bucket)) return undefined;
  return `${JSON.stringify(bucket)} is no name of a bucket: it takes 3 to 255 letters, digits, ".", "_" and "-", or the ARN of an access point`;
}

function problemOfRegion(region: string): string | undefined {
  if (region === '' || isRegionName(region)) return undefined;
  return `${JSON.stringify(region)} is no name of a region: it takes letters, digits and "-", such as eu-central-1`;
}

function problemOfRole(arn: string): string | undefined {
  if (arn === '' || ROLE.test(arn)) return undefined;
  return `${JSON.stringify(arn)} is no ARN of a role: it takes arn:aws:iam::<account>:role/<name>`;
}

function problemOfExternalId({ assumeRoleArn, assumeRoleExternalId }: S3Config): string | undefined {
  if (assumeRoleExternalId === '' || assumeRoleArn !== '') return undefined;
  return 'is set without IMGPROXY_CACHE_S3_ASSUME_ROLE_ARN: it is only used to assume a role';
}
