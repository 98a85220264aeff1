import { sdkDefault, sdkTuned } from '../peers/aws-sdk.js';
import { flystorage } from '../peers/flystorage.js';
import { minio } from '../peers/minio.js';
import { s3Driver } from '../peers/s3-driver.js';
import { unstorage } from '../peers/unstorage.js';
import { hitOf, storeOf } from '../s3-peer.js';
import { lackOfOwnStore, ownStore } from '../s3-place.js';
import type { Table } from '../table.js';

const PEERS = [s3Driver, sdkDefault, sdkTuned, minio, unstorage, flystorage];

/** What is left of the differences where a real store takes its share of the time. */
export const s3Ceph: Table = {
  name: 's3-ceph',
  title: 'Hits and stores on a real S3',
  operation:
    'Get, or put, one of 64 objects on the store that the environment names, such as a Ceph gateway.',
  store: true,
  contestants: [
    ...PEERS.map((peer) => hitOf(peer, ownStore, s3Driver)),
    ...PEERS.map((peer) => storeOf(peer, ownStore)),
  ],
  sizes: [50_000],
  inFlight: [32],
  goals: [],
  obstacle: lackOfOwnStore,
};
