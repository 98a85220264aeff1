import { createStorage } from 'unstorage';
import s3Driver from 'unstorage/drivers/s3';
import type { S3Peer } from '../s3-peer.js';
import { versionOf } from '../versions.js';
import { nameOf } from './imgproxy-cache.js';

export const unstorage: S3Peer = {
  names: { get: 'unstorage getItemRaw', put: 'unstorage setItemRaw' },
  version: `unstorage ${versionOf('unstorage')}, aws4fetch ${versionOf('aws4fetch')}`,
  settings: "s3 driver, on Node.js's fetch",
  connect(place, bucket) {
    const storage = createStorage({ driver: s3Driver({ ...place, bucket }) });
    return {
      get: (index) => storage.getItemRaw(nameOf(index)),
      put: ({ metadata: { name }, body }) => storage.setItemRaw(name, body),
      close: () => storage.dispose(),
    };
  },
};
