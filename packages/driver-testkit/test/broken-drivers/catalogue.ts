import { brokenAborts } from './broken-aborts.js';
import { brokenAtomicity } from './broken-atomicity.js';
import { brokenBodies } from './broken-bodies.js';
import type { BrokenDriver } from './broken-driver.js';
import { brokenConcurrency, brokenErrors } from './broken-errors.js';
import { brokenLifecycles } from './broken-lifecycles.js';
import { brokenResults } from './broken-results.js';

/** At least one driver for every rule of the contract. */
export const BROKEN_DRIVERS: readonly BrokenDriver[] = [
  ...brokenResults,
  ...brokenBodies,
  ...brokenAtomicity,
  ...brokenAborts,
  ...brokenErrors,
  ...brokenConcurrency,
  ...brokenLifecycles,
];
