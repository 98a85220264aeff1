import type { Experiment, Table } from '../table.js';
import { fsHit, fsLargeHit } from './fs-hit.js';
import { fsRestart } from './fs-restart.js';
import { fsLimits, fsStore } from './fs-store.js';
import { host } from './host.js';
import { key } from './key.js';
import { memoryHit, memoryRotations } from './memory-hit.js';
import { s3Tables } from './s3.js';
import { slowReaders } from './slow-readers.js';
import { stalls } from './stalls.js';
import { stampede } from './stampede.js';

/** All tables, in the order they are run. Memory is measured first: the others leave some behind that is free again. */
export const TABLES: readonly (Table | Experiment)[] = [
  slowReaders,
  memoryHit,
  ...memoryRotations,
  host,
  key,
  fsHit,
  fsLargeHit,
  fsStore,
  ...fsLimits,
  fsRestart,
  ...s3Tables,
  stampede,
  stalls,
];
