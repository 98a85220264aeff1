import { driverContract } from '@imgproxy-cache/driver-testkit';
import memory from '@imgproxy-cache/memory';

const unreachable = 'nobody else reaches the memory of this process';

/** @param {import('@imgproxy-cache/driver-testkit').TestRunner} runner */
export function memoryContract(runner) {
  driverContract(runner, {
    definition: memory,
    prepare: async () => ({ config: { maxSize: 2 ** 28, maxEntries: 10_000 } }),
    without: {
      ...{ foreign: unreachable, tamper: unreachable },
      ...{ outage: 'the memory of a process does not fail', stall: 'nor does it keep anybody waiting' },
    },
  });
}
