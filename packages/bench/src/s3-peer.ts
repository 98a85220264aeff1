import type { CacheEntry } from '@imgproxy-cache/core/driver';
import { IMAGES } from './bodies.js';
import { entryOf, nameOf } from './peers/imgproxy-cache.js';
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
  /** The whole body of an object. */
  get(name: string): Promise<unknown>;
  put(entry: CacheEntry): Promise<unknown>;
  close(): void | Promise<void>;
}

const names = Array.from({ length: IMAGES }, (_, index) => nameOf(index));

/** Gets one of the images. @param writer puts them there, where they are not yet: all contestants get the same. */
export function hitOf(peer: S3Peer, openPlace: OpenPlace, writer: S3Peer): Contestant {
  return contestant(peer, peer.names.get, openPlace, async (place, client, bytes) => {
    if (!place.prepared) {
      const writing = await writer.connect(place, place.bucket(bytes));
      for (const entry of entries(bytes, 0)) await writing.put(entry);
      await writing.close();
    }
    return (index) => client.get(names[index % IMAGES] ?? '');
  });
}

/** Stores one of the images over an older one. */
export function storeOf(peer: S3Peer, openPlace: OpenPlace): Contestant {
  return contestant(peer, peer.names.put, openPlace, async (_place, client, bytes) => {
    // Of their own: on a store that keeps what is put, hits and stores may run side by side.
    const all = entries(bytes, IMAGES);
    return (index) => {
      const entry = all[index % IMAGES];
      return entry && client.put(entry);
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

const made = new Map<string, readonly CacheEntry[]>();

/** The same entries for all contestants, from an index on: of large images there is not room for more. */
function entries(bytes: number, from: number): readonly CacheEntry[] {
  const key = `${bytes} ${from}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  made.clear();
  const all = Array.from({ length: IMAGES }, (_, index) => entryOf(from + index, bytes));
  made.set(key, all);
  return all;
}
