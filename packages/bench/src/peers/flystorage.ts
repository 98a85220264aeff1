import { S3Client } from '@aws-sdk/client-s3';
import { AwsS3StorageAdapter } from '@flystorage/aws-s3';
import { FileStorage } from '@flystorage/file-storage';
import type { S3Peer } from '../s3-peer.js';
import { versionOf } from '../versions.js';
import { tunedSdkConfig } from './aws-sdk.js';
import { nameOf } from './imgproxy-cache.js';

export const flystorage: S3Peer = {
  names: { get: 'flystorage readToBuffer', put: 'flystorage write' },
  version: `@flystorage/aws-s3 ${versionOf('@flystorage/aws-s3')}, @flystorage/file-storage ${versionOf('@flystorage/file-storage')}`,
  settings: 'over the tuned client of the SDK; the MIME type given',
  connect(place, bucket) {
    const client = new S3Client(tunedSdkConfig(place));
    const storage = new FileStorage(new AwsS3StorageAdapter(client, { bucket }));
    return {
      get: (index) => storage.readToBuffer(nameOf(index)),
      put: ({ metadata: { name, contentType }, body }) =>
        storage.write(name, body, { mimeType: contentType, size: body.length }),
      close: () => client.destroy(),
    };
  },
};
