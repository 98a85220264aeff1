import { sdkDefault, sdkTuned } from '../peers/aws-sdk.js';
import { flystorage } from '../peers/flystorage.js';
import { minio } from '../peers/minio.js';
import { s3Fetch } from '../peers/s3-fetch.js';
import { undiciStream } from '../peers/undici.js';
import { unstorage } from '../peers/unstorage.js';
import { hitOf, missOf, type S3Peer, storeOf } from '../s3-peer.js';
import { fakeServer, lackOfOwnStore, ownStore } from '../s3-place.js';
import type { Goal, Table } from '../table.js';

const PEERS = [s3Fetch, sdkDefault, sdkTuned, minio, unstorage, flystorage];
const SERVER = fakeServer({ tls: false });

function goal(of: 'get' | 'put', peer: S3Peer, atLeast: number, ours = s3Fetch, bytes = 50_000): Goal {
  return {
    contestant: ours.names[of],
    peer: peer.names[of],
    figure: 'operationsPerCpuSecond',
    bytes,
    inFlight: bytes > 1_000_000 ? 4 : 32,
    atLeast,
  };
}

const hit: Table = {
  name: 's3-hit',
  title: 'A hit on S3',
  operation: 'Get one of 64 objects, whole, from a server on this machine in a process of its own.',
  contestants: PEERS.map((peer) => hitOf(peer, SERVER)),
  sizes: [5_000, 50_000],
  inFlight: [1, 32],
  goals: [goal('get', sdkTuned, 5)],
};

const miss: Table = {
  name: 's3-miss',
  title: 'A miss on S3',
  operation:
    'Ask for an object that is not there. Ours renders an image of one byte that is not to be stored.',
  contestants: [s3Fetch, sdkTuned, minio].map((peer) =>
    missOf(peer, fakeServer({ tls: false, bucket: 'missing' })),
  ),
  sizes: [0],
  inFlight: [32],
  goals: [goal('get', sdkTuned, 10, s3Fetch, 0)],
};

const store: Table = {
  name: 's3-store',
  title: 'A store on S3',
  operation: 'Put one of 64 objects over an older one. Ours is the driver alone: `fetch` looks up first.',
  contestants: PEERS.map((peer) => storeOf(peer, SERVER)),
  sizes: [50_000],
  inFlight: [32],
  goals: [goal('put', sdkTuned, 5)],
};

const hitTls: Table = {
  name: 's3-hit-tls',
  title: 'A hit on S3 through TLS',
  operation: 'The same as a hit on S3, over TLS.',
  contestants: PEERS.map((peer) => hitOf(peer, fakeServer({ tls: true }))),
  sizes: [50_000],
  inFlight: [32],
  goals: [goal('get', minio, 1.3)],
};

const LARGE = 20_000_000;

const largeHit: Table = {
  name: 's3-large-hit',
  title: 'A large hit on S3',
  operation: 'Read an object of 20 MB to its end, as a stream.',
  contestants: [s3Fetch, undiciStream].map((peer) => hitOf(peer, SERVER)),
  sizes: [LARGE],
  inFlight: [4],
  goals: [goal('get', undiciStream, 0.9, s3Fetch, LARGE)],
  effort: { rounds: 3, roundMilliseconds: 1000 },
};

/** What is left of the differences where a real store takes its share of the time. */
const ceph: Table = {
  name: 's3-ceph',
  title: 'Hits and stores on a real S3',
  operation:
    'Get, or put, one of 64 objects on the store that the environment names, such as a Ceph gateway.',
  contestants: [
    ...PEERS.map((peer) => hitOf(peer, ownStore)),
    ...PEERS.map((peer) => storeOf(peer, ownStore)),
  ],
  sizes: [50_000],
  inFlight: [32],
  goals: [],
  obstacle: lackOfOwnStore,
};

export const s3Tables: readonly Table[] = [hit, miss, store, hitTls, largeHit, ceph];
