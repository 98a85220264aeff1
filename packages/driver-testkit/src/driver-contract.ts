import { AssertionError } from 'node:assert/strict';
import type { ConfigTable } from '@imgproxy-cache/core/driver';
import { type ProvableRule, RULE_GROUPS } from './contract-rule.js';
import { PROVABLE_RULES } from './contract-rules.js';
import type { DriverSubject } from './driver-subject.js';
import { unexpectedFailure } from './expectations.js';
import { OperationWatch } from './operation-watch.js';
import { withBench } from './rule-bench.js';
import { findObstacle } from './rule-obstacle.js';
import { SubjectFault } from './subject-fault.js';

/** The part of a test runner that the suite uses: `describe` and `it` of vitest, jest, mocha or `node:test`. */
export interface TestRunner {
  describe(title: string, body: () => void): unknown;
  /** @param timeout in milliseconds, for runners that take one */
  it(title: string, test: () => Promise<void>, timeout?: number): unknown;
}

const DEFAULT_RULE_TIMEOUT = 30;
// The suite's own timeout names the operation that hangs, so it must come first.
const RUNNER_GRACE_MS = 15_000;

/**
 * Registers one test for every rule of the contract. Its title begins with the rule's id. For a rule that does not
 * apply, or that cannot be tested, the title gives the reason.
 *
 * @example
 * import { driverContract } from '@imgproxy-cache/driver-testkit';
 * import { describe, it } from 'vitest';
 *
 * driverContract({ describe, it }, { definition: foo, prepare: async () => ({ config: { … } }) });
 */
export function driverContract<Table extends ConfigTable>(
  { describe, it }: TestRunner,
  subject: DriverSubject<Table>,
): void {
  const { name, contract } = subject.definition;
  const seconds = subject.ruleTimeout ?? DEFAULT_RULE_TIMEOUT;
  describe(`driver ${name}, contract ${contract}`, () => {
    for (const group of RULE_GROUPS) {
      describe(group, () => {
        for (const rule of PROVABLE_RULES.filter((each) => each.group === group)) {
          const { title, prove } = planRule(rule, subject);
          const test = (): Promise<void> => {
            const watch = new OperationWatch();
            return withinTime(inWords(withBench(subject, watch, prove)), seconds, watch);
          };
          it(title, test, seconds * 1000 + RUNNER_GRACE_MS);
        }
      });
    }
  });
}

function planRule<Table extends ConfigTable>(
  rule: ProvableRule,
  subject: DriverSubject<Table>,
): { title: string; prove: ProvableRule['prove'] } {
  const obstacle = findObstacle(rule, subject);
  if (obstacle !== undefined) return { title: `${rule.id} ${obstacle.text}`, prove: obstacle.prove };
  return { title: `${rule.id}: ${rule.statement}`, prove: rule.prove };
}

async function inWords(proof: Promise<void>): Promise<void> {
  try {
    await proof;
  } catch (thrown) {
    if (thrown instanceof AssertionError || thrown instanceof SubjectFault) throw thrown;
    throw new Error(unexpectedFailure(thrown), { cause: thrown });
  }
}

async function withinTime(work: Promise<void>, seconds: number, watch: OperationWatch): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const underWay = watch.describe();
      const but =
        underWay === undefined ? 'the rule goes on without any' : `these are still under way: ${underWay}`;
      reject(new Error(`expected every operation to end within ${seconds} seconds, but ${but}`));
    }, seconds * 1000);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
