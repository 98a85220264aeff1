import { soakPolicy } from '../policy/policy-soak.js';
import type { Soak } from '../soak.js';

export const soak: Soak = {
  title:
    'Hosts in processes of their own whose store hangs, half fails, slows down and vanishes, hosts that are killed, hosts that share a store, and caches that are asked for everything once.',
  operations: 100_000,
  briefOperations: 10_000,
  run: (run) => soakPolicy(run),
};
