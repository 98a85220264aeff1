import {
  BRIEF_TABLE,
  type CellName,
  runCrashes,
  runDistinctKeys,
  runFaultTable,
  runSharing,
  runSimulatedHour,
  type SoakResult,
  type TableSettings,
} from 'soak';
import { describe, expect, it } from 'vitest';
import { RememberingDriver } from './remembering-driver.js';

const progress = (): void => undefined;
/** Variables of a host that makes a mistake. */
const mistaken = (mistake: string) => ({
  SOAK_MISTAKE: new URL(`./processes/mistaken-${mistake}.ts`, import.meta.url).href,
  // The oldest Node.js that packages take asks for the flag.
  NODE_OPTIONS: '--experimental-strip-types --disable-warning=ExperimentalWarning',
});

const NEVER_SUSPEND = { IMGPROXY_CACHE_BREAKER_THRESHOLD: '0' };
/** What else costs many requests what it costs one, unless something is suspended. */
const COSTLY: readonly CellName[] = [
  ['bodies hang', 'https', 1, 4],
  ['a quarter of the bodies hang', 'http', 1, 300],
  ['slow link (20 KB a second)', 'http', 1, 4],
  ['stopped (SIGSTOP)', 'https', 1, 300],
];

/** Soaks that cannot all hold, each with the judgements that must see it. */
const MISTAKES: readonly {
  readonly mistake: string;
  readonly seenBy: readonly string[];
  run(): Promise<SoakResult>;
}[] = [
  {
    mistake: 'caches that never suspend anything',
    seenBy: [
      'a store in trouble makes at most 1 % slower by 100 ms',
      'a store in trouble cuts at most 1 % of the answers',
    ],
    run: () =>
      tableOf(
        [
          ['no answer', 'http', 1, 4],
          ['bodies over 1 MiB hang after 300 KB', 'http', 1, 4],
        ],
        { env: NEVER_SUSPEND },
      ),
  },
  {
    mistake: 'caches that do not try again in time',
    seenBy: ['it recovers by itself'],
    run: () =>
      tableOf([['refused', 'http', 1, 4]], {
        recoveryPatience: 3000,
        env: { IMGPROXY_CACHE_BREAKER_RETRY_SECONDS: '60', IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '60' },
      }),
  },
  {
    mistake: 'caches that serve wrong bytes',
    seenBy: ['no wrong image is served'],
    run: () => tableOf([['refused', 'http', 1, 4]], { env: mistaken('bytes') }),
  },
  {
    mistake: 'caches that do not answer every request',
    seenBy: ['every request is answered'],
    run: () =>
      tableOf([['refused', 'http', 1, 4]], {
        patience: 2000,
        recoveryPatience: 1000,
        env: mistaken('silence'),
      }),
  },
  {
    mistake: 'caches that are still at work when they are closed',
    seenBy: ['a closed cache is busy with nothing'],
    run: () => tableOf([['refused', 'http', 1, 4]], { env: mistaken('end') }),
  },
  {
    mistake: 'hosts that do everything wrong until they are killed',
    seenBy: [
      'every entry is whole after kills',
      'nothing wrong is served between kills',
      'hosts answer between kills',
      'leftovers of killed hosts are bounded and cleaned',
      'the host after the killed ones ends well',
    ],
    run: () => runCrashes({ seed: 1, kills: 4, env: mistaken('everything'), progress }),
  },
  {
    mistake: 'hosts that do everything wrong on one store',
    seenBy: [
      'every entry in a shared store is whole',
      'nothing wrong is served from a shared store',
      'hosts on a shared store answer',
      'the size limit holds within 5 %',
    ],
    run: () =>
      runSharing({
        seed: 1,
        duration: 1000,
        maxSize: 2_000_000,
        env: { IMGPROXY_CACHE_FS_MAX_SIZE: '0', ...mistaken('everything') },
        progress,
      }),
  },
  {
    mistake: 'a driver that remembers every image and stores none',
    seenBy: ['distinct images leave no memory behind', 'nothing is under way after distinct images'],
    run: () => runDistinctKeys({ seed: 1, keys: 1000, driver: new RememberingDriver() }),
  },
  {
    mistake: 'a driver that does so for an hour',
    seenBy: ['an hour of traffic has flat memory', 'nothing is under way after an hour'],
    run: () => runSimulatedHour({ seed: 1, step: 2000, driver: new RememberingDriver() }),
  },
];

/** Cells of the table with caches that are not as they should be. */
function tableOf(wanted: readonly CellName[], wrong: Partial<TableSettings>): Promise<SoakResult> {
  return runFaultTable({
    seed: 1,
    cells: wanted,
    settings: { ...BRIEF_TABLE, ...wrong, env: { ...BRIEF_TABLE.env, ...wrong.env } },
    progress,
  });
}

describe('the judgements of the policy soak', () => {
  const judged = new Set<string>();

  it.each(MISTAKES)('see $mistake', async ({ run, seenBy }) => {
    const { judgements } = await run();
    for (const { name } of judgements) judged.add(name);
    const failed = judgements.filter(({ holds }) => !holds).map(({ name }) => name);
    expect(failed).toEqual(expect.arrayContaining([...seenBy]));
  });

  it.each(COSTLY)('see %s, %s, at %d hits and renderings of %d ms', async (...cell) => {
    const { judgements } = await tableOf([cell], { env: NEVER_SUSPEND });
    const costs = /makes at most|cuts at most/;
    expect(judgements.filter(({ name, holds }) => costs.test(name) && !holds)).not.toEqual([]);
  });

  it('can all fail', () => {
    expect([...judged].sort()).toEqual([...new Set(MISTAKES.flatMap(({ seenBy }) => seenBy))].sort());
  });
});
