import { defineConfig } from 'vitest/config';

/** Suites on the Swift lab: tempauth, and Keystone with two regions and two domains. */
export default defineConfig({
  test: {
    include: ['test/live/*.live.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
