import type { Render } from '@imgproxy-cache/core';
import s3 from '@imgproxy-cache/s3';
import type { S3Peer } from '../s3-peer.js';
import { useCredentials } from '../s3-place.js';
import { drain, OUR_VERSION, openCache, openDriver, renderer, requestOf } from './imgproxy-cache.js';

const S3_DEFAULTS = Object.fromEntries(
  Object.entries(s3.config).map(([property, { default: value }]) => [property, value]),
) as Parameters<(typeof s3)['create']>[0];

/** S3 through `ImageCache.fetch`. Since that looks up before it stores, `put` is the driver's own. */
export const s3Fetch: S3Peer = {
  names: { get: 'ImageCache.fetch on S3', put: 'S3 driver, put' },
  version: OUR_VERSION,
  settings: 'defaults, IMGPROXY_CACHE_S3_MAX_SOCKETS=256; key, policy, name, size and CRC-32 checked',
  async connect(place, bucket) {
    useCredentials(place);
    const { endpoint, region } = place;
    const cache = await openCache({
      IMGPROXY_CACHE_USE: 's3',
      IMGPROXY_CACHE_BUCKET: bucket,
      IMGPROXY_CACHE_S3_ENDPOINT: endpoint,
      IMGPROXY_CACHE_S3_REGION: region,
      IMGPROXY_CACHE_S3_MAX_SOCKETS: '256',
    });
    const driver = openDriver(s3, { ...S3_DEFAULTS, bucket, endpoint, region, maxSockets: 256 });
    const notStored: Render = () => ({ body: Buffer.from('x'), contentType: 'image/webp', store: false });
    return {
      async get(index) {
        const { status, image } = await cache.fetch(requestOf(index), notStored);
        if (!status.hit) return undefined;
        const body = image.body();
        return body instanceof Uint8Array ? body : await drain(body);
      },
      async put(entry, index) {
        if (place.prepared) await driver.put(entry.metadata.name, entry);
        else await cache.fetch(requestOf(index), renderer(entry.body));
      },
      async close() {
        await cache.close();
        await driver.close();
      },
    };
  },
};
