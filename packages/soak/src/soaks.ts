import { soakPolicy } from './policy/policy-soak.js';
import { soakS3 } from './s3/s3-soak.js';
import type { Soak } from './soak.js';

/** All soaks by name. */
export const SOAKS: Readonly<Record<string, Soak>> = {
  policy: {
    title:
      'Hosts in processes of their own whose store hangs, fails, slows down or vanishes, hosts that are killed, hosts that share a store, and caches that never see the same image twice.',
    operations: 100_000,
    briefOperations: 10_000,
    run: soakPolicy,
  },
  s3: {
    title:
      'Gets, puts, deletes and lists of the S3 driver, alone and behind a cache, on a store that resets, stalls, truncates, refuses and lies, for callers of whom some hang up.',
    operations: 50_000,
    briefOperations: 1500,
    run: (run) => soakS3(run),
  },
};
