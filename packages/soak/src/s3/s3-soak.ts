import { systemClock } from '@imgproxy-cache/core/driver';
import s3 from '@imgproxy-cache/s3';
import { takeCensus } from '../held-resources.js';
import { ProcessIncidents } from '../process-incidents.js';
import type { SoakResult, SoakRun } from '../soak.js';
import { WatchedClock } from '../watched-clock.js';
import { judgeLeftovers } from './leftovers.js';
import { judge, judgeOperations } from './s3-judgements.js';
import { S3Run } from './s3-run.js';
import { StoreProcess } from './store-process.js';
import { type S3Definition, TestBed } from './test-bed.js';

const MOST_ROUNDS = 30;
const LEAST_OPERATIONS_A_ROUND = 250;
const WARM_UP_OPERATIONS = 200;
/** Share of the requests that go wrong. */
const MISBEHAVIOUR = 0.2;

/** What a test changes of the soak to see it fail. */
export interface S3SoakOptions {
  /** The driver to be judged. */
  readonly definition?: S3Definition;
  /** How long is waited for an operation, or for rest, that may never come; in milliseconds. */
  readonly patience?: number;
}

// Far beyond all attempts and deadlines, also on a busy machine.
const PATIENCE = 120_000;

/** The S3 driver, on its own and behind a cache, against a store that misbehaves. */
export async function soakS3(
  run: SoakRun,
  { definition = s3, patience = PATIENCE }: S3SoakOptions = {},
): Promise<SoakResult> {
  await warmUp();
  const store = await StoreProcess.start(run.seed);
  try {
    const before = await takeCensus();
    const clock = new WatchedClock(systemClock);
    const { outcomes, judgements } = await soakStore(store, run, { definition, patience }, clock);
    const connections = await store.disconnected(patience);
    return {
      outcomes,
      judgements: [...judgements, await judgeLeftovers(before, clock, connections, patience)],
    };
  } finally {
    await store.stop();
  }
}

/** Nothing of its drivers is reachable when it has ended. */
async function soakStore(
  store: StoreProcess,
  { seed, operations, progress }: SoakRun,
  { definition, patience }: Required<S3SoakOptions>,
  clock: WatchedClock,
): Promise<SoakResult> {
  const incidents = new ProcessIncidents();
  incidents.watch();
  const bed = await TestBed.open(definition, store.endpoint, clock);
  const run = new S3Run(bed, store, { seed, patience });
  run.subscribe();
  await store.misbehave(MISBEHAVIOUR);
  const rounds = Math.max(1, Math.min(MOST_ROUNDS, Math.floor(operations / LEAST_OPERATIONS_A_ROUND)));
  for (let round = 1; round <= rounds; round += 1) {
    await run.round(Math.floor((operations * round) / rounds) - run.record.issued);
    progress(`round ${round} of ${rounds}`);
  }
  const operationsJudgement = judgeOperations(run, bed, operations);
  await store.misbehave(0);
  await run.recover();
  await bed[Symbol.asyncDispose]();
  run.unsubscribe();
  incidents.unwatch();
  return {
    outcomes: run.record.outcomes.outcomes(),
    judgements: [operationsJudgement, ...judge(run, bed, incidents)],
  };
}

/** What Node.js, the SDK and the cache set up once is no leak. */
async function warmUp(): Promise<void> {
  const store = await StoreProcess.start(0);
  const bed = await TestBed.open(s3, store.endpoint, new WatchedClock(systemClock));
  const run = new S3Run(bed, store, { seed: 0, patience: PATIENCE });
  run.subscribe();
  await run.round(WARM_UP_OPERATIONS);
  run.unsubscribe();
  await bed[Symbol.asyncDispose]();
  await store.stop();
}
