import { soakS3 } from '../s3/s3-soak.js';
import type { Soak } from '../soak.js';

export const soak: Soak = {
  title:
    'Gets, puts, deletes and lists of the S3 driver, on its own and behind a cache, on a store that resets, stalls, truncates, refuses and lies, for callers of whom some hang up.',
  operations: 50_000,
  briefOperations: 1500,
  run: (run) => soakS3(run),
};
