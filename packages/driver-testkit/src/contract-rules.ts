import type { ContractRule, ProvableRule } from './contract-rule.js';
import { abortRules } from './rules/abort-rules.js';
import { atomicityRules } from './rules/atomicity-rules.js';
import { bodyRules } from './rules/body-rules.js';
import { concurrencyRules } from './rules/concurrency-rules.js';
import { entryRules } from './rules/entry-rules.js';
import { errorRules } from './rules/error-rules.js';
import { lifecycleRules } from './rules/lifecycle-rules.js';
import { lookupRules } from './rules/lookup-rules.js';

/** The rules with their proofs. */
export const PROVABLE_RULES: readonly ProvableRule[] = [
  ...lookupRules,
  ...entryRules,
  ...bodyRules,
  ...atomicityRules,
  ...abortRules,
  ...errorRules,
  ...concurrencyRules,
  ...lifecycleRules,
];

/** The driver contract as data, in the order of the suite. */
export const CONTRACT_RULES: readonly ContractRule[] = PROVABLE_RULES.map(
  ({ id, group, statement, reason, source }) => ({ id, group, statement, reason, source }),
);
