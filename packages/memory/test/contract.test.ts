import { driverContract } from '@imgproxy-cache/driver-testkit';
import memory from '@imgproxy-cache/memory';
import { describe, it } from 'vitest';

const unreachable = 'nobody else reaches the memory of this process';

driverContract(
  { describe, it },
  {
    definition: memory,
    prepare: async () => ({ config: { maxSize: 256 * 1024 * 1024, maxEntries: 10_000 } }),
    without: {
      ...{ foreign: unreachable, tamper: unreachable },
      ...{ outage: 'the memory of a process does not fail', stall: 'nor does it keep anybody waiting' },
    },
  },
);
