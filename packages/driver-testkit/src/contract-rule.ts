import type { RuleBench } from './rule-bench.js';

/** The parts of the contract, in the order of the suite. */
export const RULE_GROUPS = [
  'results',
  'bodies',
  'atomicity',
  'aborts',
  'errors',
  'concurrency',
  'lifecycle',
] as const;

export type RuleGroup = (typeof RULE_GROUPS)[number];

/** One requirement of the contract. */
export interface ContractRule {
  /** Its name in kebab case, with which the title of its test begins. */
  readonly id: string;
  readonly group: RuleGroup;
  /** The requirement, in one sentence. */
  readonly statement: string;
  /** What goes wrong where a driver breaks it. */
  readonly reason: string;
  /** Where it comes from: a part of the contract, a standard or a known failure. */
  readonly source: string;
}

/**
 * What a rule needs besides a driver. Where it is missing, the report gives the reason in place of the rule.
 *
 * - `delete`, `list`, `atomic-overwrite`: not declared as a limitation by the driver.
 * - `shared`: declared by the driver: processes share its store.
 * - `foreign`, `tamper`, `outage`, `stall`, `module`: offered by the subject of the suite.
 */
export type RuleNeed =
  | 'delete'
  | 'list'
  | 'atomic-overwrite'
  | 'shared'
  | 'foreign'
  | 'tamper'
  | 'outage'
  | 'stall'
  | 'module';

/** A rule with its proof. */
export interface ProvableRule extends ContractRule {
  readonly needs?: readonly RuleNeed[];
  /** Rejects with a readable sentence where the driver breaks the rule. */
  prove(bench: RuleBench): Promise<void>;
}

/** Makes the rules of one group. */
export function rulesOf(
  group: RuleGroup,
  rules: readonly Omit<ProvableRule, 'group'>[],
): readonly ProvableRule[] {
  return rules.map((rule) => ({ ...rule, group }));
}
