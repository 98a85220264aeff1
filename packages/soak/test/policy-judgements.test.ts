import {
  BRIEF_TABLE,
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
const moduleOf = (mistake: string): string =>
  new URL(`./processes/mistaken-${mistake}.ts`, import.meta.url).href;

/** Soaks that cannot all hold, each with the judgements that must see it. */
const MISTAKES: readonly {
  readonly mistake: string;
  readonly seenBy: readonly string[];
  run(): Promise<SoakResult>;
}[] = [
  {
    mistake: 'caches whose look-ups take three times the deadline',
    seenBy: ['a fault costs at most the look-up deadline'],
    run: () =>
      faultOf('memory', 'the driver hangs', { env: { IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '1.2' } }),
  },
  {
    mistake: 'caches that never suspend anything',
    seenBy: ['a store that fails is suspended'],
    run: () =>
      faultOf('memory', 'the driver fails', {
        patience: 3000,
        env: { IMGPROXY_CACHE_BREAKER_THRESHOLD: '0' },
      }),
  },
  {
    mistake: 'caches that do not try again in time',
    seenBy: ['it recovers by itself'],
    run: () =>
      faultOf('memory', 'the driver fails', {
        recoveryPatience: 3000,
        env: { IMGPROXY_CACHE_BREAKER_RETRY_SECONDS: '60', IMGPROXY_CACHE_BREAKER_MAX_RETRY_SECONDS: '60' },
      }),
  },
  {
    mistake: 'caches that are slow although look-ups are suspended',
    seenBy: ['a suspended look-up costs nothing'],
    run: () => faultOf('memory', 'the driver fails', { mistake: moduleOf('late') }),
  },
  {
    mistake: 'caches that serve wrong bytes',
    seenBy: ['no wrong image is served'],
    run: () => faultOf('memory', 'bodies are corrupt', { mistake: moduleOf('bytes') }),
  },
  {
    mistake: 'caches that do not answer every request',
    seenBy: ['every request is answered'],
    run: () =>
      faultOf('memory', 'the driver fails', {
        patience: 2000,
        recoveryPatience: 1,
        mistake: moduleOf('silence'),
      }),
  },
  {
    mistake: 'caches that are still at work when they are closed',
    seenBy: ['a closed cache is busy with nothing'],
    run: () => faultOf('memory', 'bodies are corrupt', { mistake: moduleOf('end') }),
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
    run: () => runCrashes({ seed: 1, kills: 4, mistake: moduleOf('everything'), progress }),
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
        env: { IMGPROXY_CACHE_FS_MAX_SIZE: '0' },
        mistake: moduleOf('everything'),
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

/** One row of the table with caches that are not as they should be. */
function faultOf(cache: string, fault: string, wrong: Partial<TableSettings>): Promise<SoakResult> {
  const settings = { ...BRIEF_TABLE, ...wrong, env: { ...BRIEF_TABLE.env, ...wrong.env } };
  return runFaultTable({ rows: (use, name) => use === cache && name === fault, settings, progress });
}

describe('the judgements of the policy soak', { timeout: 300_000 }, () => {
  const judged = new Set<string>();

  it.each(MISTAKES)('see $mistake', async ({ run, seenBy }) => {
    const { judgements } = await run();
    for (const { name } of judgements) judged.add(name);
    const failed = judgements.filter(({ holds }) => !holds).map(({ name }) => name);
    expect(failed).toEqual(expect.arrayContaining([...seenBy]));
  });

  it('can all fail', () => {
    expect([...judged].sort()).toEqual([...new Set(MISTAKES.flatMap(({ seenBy }) => seenBy))].sort());
  });
});
