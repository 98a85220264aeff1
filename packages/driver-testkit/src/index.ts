/**
 * The contract of storage drivers as a test suite, and tools for tests of drivers and hosts: fault injection, a manual
 * clock, child processes and leak detection.
 * @module
 */
export { type ContractRule, RULE_GROUPS, type RuleGroup } from './contract-rule.js';
export { CONTRACT_RULES } from './contract-rules.js';
export { driverContract, type TestRunner } from './driver-contract.js';
export type { DriverSubject, OutageCode, PreparedStore, StoreDoors, SubjectGap } from './driver-subject.js';
export type {
  BodyEffect,
  FaultConditions,
  FaultEffect,
  FaultPoint,
} from './faults/fault.js';
export { FaultDriver, type FaultDriverOptions } from './faults/fault-driver.js';
export type { InjectedFault } from './faults/injected-fault.js';
export { type LeakOptions, leakOf } from './held-resources.js';
export { ManualClock, type ManualClockOptions } from './manual-clock.js';
export { ScriptProcess, type ScriptProcessOptions } from './script-process.js';
