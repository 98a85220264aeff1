import type { RuleBench } from './rule-bench.js';

/** The parts of the contract, in the order in which the suite goes through them. */
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

/** One promise that every driver makes. */
export interface ContractRule {
  /** Its name, in kebab case: begins the title of its test. */
  readonly id: string;
  readonly group: RuleGroup;
  /** What holds, in one sentence. */
  readonly statement: string;
  /** What goes wrong where it does not hold. */
  readonly reason: string;
  /** Where it comes from: the part of the contract, a standard, or a failure that others had. */
  readonly source: string;
}

/**
 * What a rule needs besides a driver. Where it is missing, the report says why in the place of the rule.
 *
 * - `delete`, `list`, `atomic-overwrite`: the driver does not declare it as a limitation.
 * - `shared`: the driver declares that processes share its store.
 * - `foreign`, `tamper`, `outage`, `stall`, `module`: the subject of the suite offers it.
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
  /** Rejects with a sentence where the driver on the bench breaks the rule. */
  prove(bench: RuleBench): Promise<void>;
}

/** Makes the rules of one group. */
export function rulesOf(
  group: RuleGroup,
  rules: readonly Omit<ProvableRule, 'group'>[],
): readonly ProvableRule[] {
  return rules.map((rule) => ({ ...rule, group }));
}
