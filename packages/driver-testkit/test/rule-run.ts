import type { ConfigTable } from '@imgproxy-cache/core/driver';
import { type DriverSubject, driverContract } from '@imgproxy-cache/driver-testkit';

/** How the rules of one run ended. */
export interface RuleRun {
  readonly titles: readonly string[];
  /** By the id of the rule that did not hold. */
  readonly failures: ReadonlyMap<string, Error>;
}

/** Runs the suite, or one rule of it, with the smallest of all runners. */
export async function runContract<Table extends ConfigTable>(
  subject: DriverSubject<Table>,
  rule?: string,
): Promise<RuleRun> {
  const tests: { readonly title: string; readonly test: () => Promise<void> }[] = [];
  const runner = {
    describe: (_title: string, body: () => void) => body(),
    it: (title: string, test: () => Promise<void>) => tests.push({ title, test }),
  };
  driverContract(runner, subject);
  const failures = new Map<string, Error>();
  for (const { title, test } of tests) {
    if (rule !== undefined && ruleOf(title) !== rule) continue;
    try {
      await test();
    } catch (error) {
      failures.set(ruleOf(title), error as Error);
    }
  }
  return { titles: tests.map(({ title }) => title), failures };
}

/** The id at the beginning of a test's title. */
export function ruleOf(title: string): string {
  return title.replace(/[: ].*/s, '');
}
