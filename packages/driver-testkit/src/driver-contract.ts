import { AssertionError } from 'node:assert/strict';
import type { ConfigTable } from '@imgproxy-cache/core/driver';
import { type ProvableRule, RULE_GROUPS } from './contract-rule.js';
import { PROVABLE_RULES } from './contract-rules.js';
import type { DriverSubject } from './driver-subject.js';
import { unexpectedFailure } from './expectations.js';
import { withBench } from './rule-bench.js';
import { findObstacle } from './rule-obstacle.js';

/** What the suite uses of a test runner: `describe` and `it` of vitest, jest, mocha or `node:test`. */
export interface TestRunner {
  describe(title: string, body: () => void): unknown;
  /** A runner that takes a limit of time takes it as its third argument, in milliseconds. */
  it(title: string, test: () => Promise<void>, timeout?: number): unknown;
}

const DEFAULT_RULE_TIMEOUT = 30;
// The suite's own limit comes first, since it says what hangs.
const RUNNER_GRACE_MS = 15_000;

/**
 * Registers one test for every rule of the contract. Its title begins with the rule's id; a rule that does not
 * apply, or that cannot be tried, stands in the report with the reason.
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
          const test = (): Promise<void> => withinTime(inWords(withBench(subject, prove)), seconds);
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
    if (thrown instanceof AssertionError) throw thrown;
    throw new Error(unexpectedFailure(thrown), { cause: thrown });
  }
}

async function withinTime(work: Promise<void>, seconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    const message = `expected every operation to end, but after ${seconds} seconds one is still under way`;
    timer = setTimeout(() => reject(new Error(message)), seconds * 1000);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
