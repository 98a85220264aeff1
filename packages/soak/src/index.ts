/**
 * Long runs that are judged at their end, for the tests of this package.
 * @module
 */
export { loadSoak, soakNames } from './known-soaks.js';
export { soakS3 } from './s3/s3-soak.js';
export type { S3Definition } from './s3/test-bed.js';
export type { Judgement, Soak, SoakResult, SoakRun, SoakSummary } from './soak.js';
