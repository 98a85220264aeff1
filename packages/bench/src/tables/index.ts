import type { Experiment, Table } from '../table.js';
import { fsHit } from './fs-hit.js';
import { fsRestart } from './fs-restart.js';
import { fsStore } from './fs-store.js';
import { host } from './host.js';
import { key } from './key.js';
import { memoryHit } from './memory-hit.js';
import { policy } from './policy.js';
import { s3Ceph } from './s3-ceph.js';
import { s3Hit, s3HitTls } from './s3-hit.js';
import { s3Store } from './s3-store.js';
import { slowReaders } from './slow-readers.js';
import { stampede } from './stampede.js';

/** All tables, in the order they are run. Memory is measured first: the others leave some behind that is free again. */
export const TABLES: readonly (Table | Experiment)[] = [
  slowReaders,
  fsHit,
  fsStore,
  fsRestart,
  memoryHit,
  host,
  key,
  policy,
  stampede,
  s3Hit,
  s3Store,
  s3HitTls,
  s3Ceph,
];
