import { sdkDefault, sdkTuned } from '../peers/aws-sdk.js';
import { flystorage } from '../peers/flystorage.js';
import { minio } from '../peers/minio.js';
import { s3Driver } from '../peers/s3-driver.js';
import { unstorage } from '../peers/unstorage.js';
import { hitOf } from '../s3-peer.js';
import { lackOfTrust, type OpenPlace, sharedServer } from '../s3-place.js';
import type { Contestant, Goal, Table } from '../table.js';

const PEERS = [s3Driver, sdkDefault, sdkTuned, minio, unstorage, flystorage] as const;
const FOUR_TIMES: Goal = {
  contestant: s3Driver.names.get,
  peer: sdkTuned.names.get,
  figure: 'operationsPerCpuSecond',
  bytes: 50_000,
  inFlight: 32,
  atLeast: 4,
};

function hitsAt(openPlace: OpenPlace): Contestant[] {
  return PEERS.map((peer) => hitOf(peer, openPlace, s3Driver));
}

export const s3Hit: Table = {
  name: 's3-hit',
  title: 'A hit on S3',
  operation: 'Get one of 64 objects, whole, from a server on this machine in a process of its own.',
  store: true,
  contestants: hitsAt(sharedServer({ tls: false })),
  sizes: [5_000, 50_000, 1_000_000],
  inFlight: [1, 32, 256],
  goals: [FOUR_TIMES],
  effort: { rounds: 3, roundMilliseconds: 250, leastTurns: 1 },
};

export const s3HitTls: Table = {
  name: 's3-hit-tls',
  title: 'A hit on S3 through TLS',
  operation: 'The same over TLS.',
  store: true,
  contestants: hitsAt(sharedServer({ tls: true })),
  sizes: [50_000],
  inFlight: [32],
  goals: [],
  obstacle: lackOfTrust,
};
