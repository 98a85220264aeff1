import assert from 'node:assert/strict';
import type { CacheDriver, DriverCapabilities } from '@imgproxy-cache/core/driver';
import type { ProvableRule, RuleNeed } from './contract-rule.js';
import type { DriverSubject, SubjectGap } from './driver-subject.js';
import { collect, expectMiss, expectRejection } from './expectations.js';
import type { RuleBench } from './rule-bench.js';
import { sampleEntry } from './sample-entries.js';

/** Why a rule is not tested on a subject. */
export interface RuleObstacle {
  /** Stands in the report in place of the rule's statement. */
  readonly text: string;
  /** Proves that the obstacle is real. */
  prove(bench: RuleBench): Promise<void>;
}

type Gap = Pick<DriverSubject, 'without'> & {
  readonly definition: { readonly capabilities: DriverCapabilities };
};

/** The first obstacle to a rule; `undefined` where there is none. */
export function findObstacle({ needs = [] }: ProvableRule, subject: Gap): RuleObstacle | undefined {
  for (const need of needs) {
    const obstacle = obstacleOf(need, subject);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

function obstacleOf(need: RuleNeed, { definition, without }: Gap): RuleObstacle | undefined {
  const { capabilities } = definition;
  switch (need) {
    case 'delete':
    case 'list':
    case 'atomic-overwrite':
      return limitationObstacle(need, capabilities.limitations?.[need]);
    case 'shared':
      return capabilities.shared ? undefined : UNSHARED;
    default:
      return gapObstacle(need, without?.[need]);
  }
}

function limitationObstacle(
  limitation: 'delete' | 'list' | 'atomic-overwrite',
  reason: string | undefined,
): RuleObstacle | undefined {
  if (reason === undefined) return undefined;
  return {
    text: `is not supported by this store, because ${reason} (${limitation})`,
    async prove({ driver, name }) {
      expectReason(reason);
      const refuse = REFUSALS[limitation];
      const story = `${limitation}, which the driver declares it cannot do`;
      if (refuse !== undefined) {
        await expectRejection(() => refuse(driver, name('entry')), story, 'ERR_CACHE_UNSUPPORTED');
      }
    },
  };
}

const UNSHARED: RuleObstacle = {
  text: 'does not apply, because the driver declares that its entries stay in one process',
  async prove({ driver, open, name }) {
    await driver.put(name('entry'), sampleEntry(name('entry')));
    await expectMiss(open(), name('entry'), 'put by one driver that shares nothing, then get by another');
  },
};

const REFUSALS: Readonly<Record<string, (driver: CacheDriver, name: string) => Promise<unknown>>> = {
  delete: (driver, name) => driver.delete([name]),
  list: (driver, name) => collect(driver.list(name)),
};

function gapObstacle(gap: SubjectGap, reason: string | undefined): RuleObstacle | undefined {
  if (reason === undefined) return undefined;
  return {
    text: `is not tried, because ${reason}`,
    async prove(bench) {
      expectReason(reason);
      assert.ok(
        !bench.offers.has(gap),
        `the subject offers ${gap} and says under "without" that it cannot: remove one of the two`,
      );
    },
  };
}

function expectReason(reason: string): void {
  assert.ok(reason.trim().split(/\s+/).length > 2, `"${reason}" is no reason: say it in words`);
}
