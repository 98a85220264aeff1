import http from 'node:http';
import https from 'node:https';
import { GetObjectCommand, PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { S3Peer } from '../s3-peer.js';
import type { S3Place } from '../s3-place.js';
import { versionOf } from '../versions.js';
import { nameOf } from './imgproxy-cache.js';

const version = `@aws-sdk/client-s3 ${versionOf('@aws-sdk/client-s3')}`;

/** The settings with which a client of the SDK finds a place. */
function sdkConfig({ endpoint, region, accessKeyId, secretAccessKey }: S3Place): S3ClientConfig {
  return { endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
}

/** What the SDK's own documentation recommends to busy services. */
export function tunedSdkConfig(place: S3Place): S3ClientConfig {
  const sockets = { keepAlive: true, maxSockets: 256 };
  return {
    ...sdkConfig(place),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      httpAgent: new http.Agent(sockets),
      httpsAgent: new https.Agent(sockets),
    }),
  };
}

function sdk(names: S3Peer['names'], settings: string, configOf: (place: S3Place) => S3ClientConfig): S3Peer {
  return {
    names,
    version,
    settings,
    connect(place, Bucket) {
      const client = new S3Client(configOf(place));
      return {
        async get(index) {
          const Key = nameOf(index);
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
          return await Body?.transformToByteArray();
        },
        put: ({ metadata: { name: Key, contentType: ContentType }, body: Body }) =>
          client.send(new PutObjectCommand({ Bucket, Key, ContentType, Body })),
        close: () => client.destroy(),
      };
    },
  };
}

export const sdkDefault: S3Peer = sdk(
  { get: 'GetObjectCommand', put: 'PutObjectCommand' },
  'defaults: 50 sockets, checksums when supported',
  sdkConfig,
);

export const sdkTuned: S3Peer = sdk(
  { get: 'GetObjectCommand, tuned', put: 'PutObjectCommand, tuned' },
  'keep-alive agent with 256 sockets, checksums WHEN_REQUIRED',
  tunedSdkConfig,
);
