import { sdkDefault, sdkTuned } from '../peers/aws-sdk.js';
import { flystorage } from '../peers/flystorage.js';
import { minio } from '../peers/minio.js';
import { s3Driver } from '../peers/s3-driver.js';
import { unstorage } from '../peers/unstorage.js';
import { storeOf } from '../s3-peer.js';
import { sharedServer } from '../s3-place.js';
import type { Table } from '../table.js';

const server = sharedServer({ tls: false });

export const s3Store: Table = {
  name: 's3-store',
  title: 'A store on S3',
  operation: 'Put one of 64 objects over an older one, on a server on this machine in a process of its own.',
  store: true,
  contestants: [s3Driver, sdkDefault, sdkTuned, minio, unstorage, flystorage].map((peer) =>
    storeOf(peer, server),
  ),
  sizes: [5_000, 50_000, 1_000_000],
  inFlight: [1, 32, 256],
  goals: [
    {
      contestant: s3Driver.names.put,
      peer: sdkDefault.names.put,
      figure: 'operationsPerCpuSecond',
      bytes: 50_000,
      inFlight: 32,
      atLeast: 3,
    },
  ],
  effort: { rounds: 3, roundMilliseconds: 250, leastTurns: 1 },
};
