/**
 * The contract of storage drivers as a suite, a driver that injects faults, and what tests of drivers need besides: a
 * clock that they move, processes that they kill, and a count of what is left behind.
 * @module
 */
export { type ContractRule, RULE_GROUPS, type RuleGroup } from './contract-rule.js';
export { CONTRACT_RULES } from './contract-rules.js';
export { driverContract, type TestRunner } from './driver-contract.js';
export type { DriverSubject, OutageCode, PreparedStore, StoreDoors, SubjectGap } from './driver-subject.js';
export {
  type BodyEffect,
  FAULT_POINTS,
  type FaultConditions,
  type FaultEffect,
  type FaultPoint,
} from './faults/fault.js';
export { FaultDriver, type FaultDriverOptions } from './faults/fault-driver.js';
export type { InjectedFault } from './faults/injected-fault.js';
export { type LeakOptions, leakOf } from './held-resources.js';
export { ManualClock, type ManualClockOptions } from './manual-clock.js';
export { ScriptProcess } from './script-process.js';
