import { setTimeout as delay } from 'node:timers/promises';
import { leakOf } from '@imgproxy-cache/driver-testkit';
import s3 from '@imgproxy-cache/s3';
import { FakeS3Process } from 'fake-s3';
import type { SoakResult, SoakRun } from '../soak.js';
import { judge, judgeOperations } from './s3-judgements.js';
import { CountingClock, type S3Definition, S3Run } from './s3-run.js';
import type { StoreReport } from './store-model.js';

const MOST_ROUNDS = 30;
const LEAST_OPERATIONS_A_ROUND = 250;
const WARM_UP_OPERATIONS = 200;
/** Share of the requests that fail. */
const MISBEHAVIOUR = 0.2;
const PAUSE = 50;
/** Far beyond all attempts and deadlines, also on a busy machine. In milliseconds. */
const PATIENCE = 120_000;

/** What a test changes to see a judgement fail. */
export interface S3SoakOptions {
  readonly definition?: S3Definition;
  /** How long is waited for an operation, or for rest, in milliseconds. */
  readonly patience?: number;
}

/** The S3 driver, on its own and behind a cache, on a store that misbehaves. */
export async function soakS3(
  soak: SoakRun,
  { definition = s3, patience = PATIENCE }: S3SoakOptions = {},
): Promise<SoakResult> {
  // What Node.js, the SDK and the cache set up once is no leak.
  await using first = await startStore(0);
  const warmUp = await S3Run.open({
    definition: s3,
    store: first,
    clock: new CountingClock(),
    seed: 0,
    patience,
  });
  await warmUp.round(WARM_UP_OPERATIONS);
  await warmUp.close();
  await first.kill();

  await using store = await startStore(soak.seed);
  const clock = new CountingClock();
  let result: SoakResult = { outcomes: [], judgements: [] };
  let connections = 0;
  const leak = await leakOf(
    async () => {
      result = await runOn(store, soak, { definition, patience }, clock);
      connections = await waitForDisconnection(store, patience);
    },
    { tolerance: 0 },
  );
  const left = [
    leak ?? [],
    connections > 0 ? `${connections} connections at the store` : [],
    clock.timers > 0 ? `${clock.timers} timers of the clock` : [],
  ].flat();
  const leftovers = {
    name: 'close() leaves nothing behind',
    holds: left.length === 0,
    figures: left.join(', ') || 'sockets, descriptors and timers as before',
  };
  return { ...result, judgements: [...result.judgements, leftovers] };
}

async function runOn(
  store: FakeS3Process,
  { seed, operations, progress }: SoakRun,
  { definition, patience }: Required<S3SoakOptions>,
  clock: CountingClock,
): Promise<SoakResult> {
  const run = await S3Run.open({ definition, store, clock, seed, patience });
  await store.ask('misbehave', MISBEHAVIOUR);
  const rounds = Math.max(1, Math.min(MOST_ROUNDS, Math.floor(operations / LEAST_OPERATIONS_A_ROUND)));
  for (let round = 1; round <= rounds; round += 1) {
    await run.round(Math.floor((operations * round) / rounds) - run.traffic.issued);
    progress(`round ${round} of ${rounds}`);
  }
  const operationsJudgement = judgeOperations(run, operations);
  await store.ask('misbehave', 0);
  await run.recover();
  await run.close();
  return { outcomes: run.traffic.outcomes.outcomes(), judgements: [operationsJudgement, ...judge(run)] };
}

function startStore(seed: number): Promise<FakeS3Process> {
  return FakeS3Process.start({ module: new URL('faulty-store.js', import.meta.url), argument: seed });
}

/** Waits until no connection is open, or patience ends. @returns how many are */
async function waitForDisconnection(store: FakeS3Process, patience: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const { connections } = (await store.ask('report')) as StoreReport;
    if (connections === 0 || performance.now() - began > patience) return connections;
    await delay(PAUSE);
  }
}
