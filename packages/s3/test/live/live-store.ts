import diagnostics from 'node:diagnostics_channel';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { driverContract } from '@imgproxy-cache/driver-testkit';
import s3, { type S3Config, S3Driver, type S3DriverOptions } from '@imgproxy-cache/s3';
import { describe, it, onTestFinished } from 'vitest';
import { configOf } from '../open-driver.js';

export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`set ${name} to run this suite`);
  return value;
}

/** The store that the driver's own variables name. */
export function liveConfig(changes: Partial<S3Config> = {}): S3Config {
  return configOf({
    bucket: variable('IMGPROXY_CACHE_BUCKET'),
    region: process.env['IMGPROXY_CACHE_S3_REGION'] ?? '',
    endpoint: process.env['IMGPROXY_CACHE_S3_ENDPOINT'] ?? '',
    usePathStyle: process.env['IMGPROXY_CACHE_S3_ENDPOINT_USE_PATH_STYLE'] !== 'false',
    ...changes,
  });
}

/** Another S3 client than the driver, on the same store. */
export function strangerTo({ endpoint, region, usePathStyle }: S3Config): S3Client {
  return new S3Client({
    ...(region === '' ? {} : { region }),
    ...(endpoint === '' ? {} : { endpoint, forcePathStyle: usePathStyle }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Makes the bucket where the configuration says, unless it is there. */
export async function ensureBucket(config: S3Config): Promise<void> {
  const client = strangerTo(config);
  try {
    await client.send(new HeadBucketCommand({ Bucket: config.bucket }));
  } catch {
    await client.send(new CreateBucketCommand({ Bucket: config.bucket }));
  } finally {
    client.destroy();
  }
}

/** Removes the bucket and all that is in it. */
export async function removeBucket(config: S3Config): Promise<void> {
  const client = strangerTo(config);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: config.bucket }));
  for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: config.bucket, Key }));
  await client.send(new DeleteBucketCommand({ Bucket: config.bucket }));
  client.destroy();
}

/** Runs the contract suite on a bucket that exists. */
export function contractOn(config: S3Config, options?: S3DriverOptions): void {
  const stranger = strangerTo(liveConfig());
  const { bucket: Bucket } = config;
  driverContract(
    { describe, it },
    {
      definition:
        options === undefined
          ? s3
          : { ...s3, create: (values, context) => new S3Driver(values, context, options) },
      ...(options === undefined ? { module: import.meta.resolve('@imgproxy-cache/s3') } : {}),
      without: {
        outage: 'a live store is not ours to break',
        stall: 'a live store is not ours to hold up',
        ...(options === undefined ? {} : { module: 'a resolver cannot be handed to another process' }),
      },
      ruleTimeout: 120,
      prepare: async () => ({
        config,
        async foreign(Key) {
          await stranger.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from('not an entry') }));
        },
        async tamper(Key, change) {
          const { Body, Metadata, ContentType } = await stranger.send(new GetObjectCommand({ Bucket, Key }));
          const stored = (await Body?.transformToByteArray()) ?? new Uint8Array();
          await stranger.send(
            new PutObjectCommand({
              Bucket,
              Key,
              Body: change(stored),
              ...(Metadata === undefined ? {} : { Metadata }),
              ...(ContentType === undefined ? {} : { ContentType }),
            }),
          );
        },
      }),
    },
  );
}

/** Every request that the driver sends until the test is over, as `METHOD host path`. */
export function watchRequests(): readonly string[] {
  const requests: string[] = [];
  const watch = (message: unknown): void => {
    const { request } = message as { request: { method: string; path: string; host: string } };
    requests.push(`${request.method} ${request.host} ${request.path}`);
  };
  diagnostics.subscribe('undici:client:sendHeaders', watch);
  onTestFinished(() => void diagnostics.unsubscribe('undici:client:sendHeaders', watch));
  return requests;
}
