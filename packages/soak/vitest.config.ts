import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    // Soaks need the machine for themselves: load makes hosts and stores slow.
    fileParallelism: false,
    maxConcurrency: 3,
  },
});
