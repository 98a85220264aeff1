import type { CacheEntry } from '@imgproxy-cache/core/driver';
import { IMAGES } from './bodies.js';
import { entryOf } from './peers/imgproxy-cache.js';
import type { OpenPlace, S3Place } from './s3-place.js';
import type { Contestant, Workload } from './table.js';

/** A way of speaking to S3. */
export interface S3Peer {
  /** What its operations are called. */
  readonly names: { readonly get: string; readonly put: string };
  readonly version: string;
  readonly settings: string;
  connect(place: S3Place, bucket: string): S3Client | Promise<S3Client>;
}

/** A peer that is connected to one bucket. */
export interface S3Client {
  /** The whole body of image `index`. A miss is `undefined` or an error. */
  get(index: number): Promise<unknown>;
  put(entry: CacheEntry, index: number): Promise<unknown>;
  close(): void | Promise<void>;
}

/** Gets one of the images. */
export function hitOf(peer: S3Peer, openPlace: OpenPlace): Contestant {
  return contestant(peer, peer.names.get, openPlace, async (place, client, bytes) => {
    if (!place.prepared) {
      for (let index = 0; index < IMAGES; index++) await client.put(entryOf(index, bytes), index);
    }
    return async (index) => {
      const body = await client.get(index % IMAGES);
      if (body === undefined) throw new Error('a miss where a hit was expected');
    };
  });
}

/** Looks for an image that is not there. */
export function missOf(peer: S3Peer, openPlace: OpenPlace): Contestant {
  return contestant(peer, peer.names.get, openPlace, async (_place, client) => async (index) => {
    const body = await client.get(index % IMAGES).catch((error: { name?: string; code?: string }) => {
      // The SDK calls it by its name, minio-js by its code.
      if (error.name !== 'NoSuchKey' && error.code !== 'NoSuchKey') throw error;
    });
    if (body !== undefined) throw new Error('a hit where a miss was expected');
  });
}

/** Stores one of the images over an older one. */
export function storeOf(peer: S3Peer, openPlace: OpenPlace): Contestant {
  return contestant(peer, peer.names.put, openPlace, async (_place, client, bytes) => {
    const all = Array.from({ length: IMAGES }, (_, index) => entryOf(index, bytes));
    return (index) => {
      const entry = all[index % IMAGES];
      return entry && client.put(entry, index % IMAGES);
    };
  });
}

function contestant(
  { version, settings, connect }: S3Peer,
  name: string,
  openPlace: OpenPlace,
  prepare: (place: S3Place, client: S3Client, bytes: number) => Promise<Workload['run']>,
): Contestant {
  return {
    name,
    version,
    settings,
    async open(bytes) {
      const place = await openPlace();
      const client = await connect(place, place.bucket(bytes));
      const { requests } = place;
      return {
        run: await prepare(place, client, bytes),
        ...(requests !== undefined && { wireRequests: requests }),
        async close() {
          await client.close();
          await place.close();
        },
      };
    },
  };
}
