import { type CacheDriver, readVerified, verifyName } from '@imgproxy-cache/core/driver';
import s3 from '@imgproxy-cache/s3';
import type { S3Peer } from '../s3-peer.js';
import { useCredentials } from '../s3-place.js';
import { OUR_VERSION, openDriver } from './imgproxy-cache.js';

type S3Config = Parameters<(typeof s3)['create']>[0];

const DEFAULTS = Object.fromEntries(
  Object.entries(s3.config).map(([property, variable]) => [property, variable.default]),
) as S3Config;

/** Ours, as core uses it: metadata validated, name, size and CRC-32 checked. */
export const s3Driver: S3Peer = {
  names: { get: 'S3 driver, get', put: 'S3 driver, put' },
  version: OUR_VERSION,
  settings: 'defaults, IMGPROXY_CACHE_S3_MAX_SOCKETS=256; name, size and CRC-32 checked',
  connect(place, bucket) {
    useCredentials(place);
    const { endpoint, region } = place;
    const config: S3Config = { ...DEFAULTS, bucket, endpoint, region, maxSockets: 256 };
    const driver: CacheDriver = openDriver(s3, config);
    return {
      async get(name) {
        const entry = await driver.get(name);
        if (entry === undefined) throw new Error('a miss where a hit was expected');
        verifyName(entry.metadata, name);
        return await readVerified(entry);
      },
      put: (entry) => driver.put(entry.metadata.name, entry),
      close: () => driver.close(),
    };
  },
};
