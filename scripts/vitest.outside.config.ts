import { defineConfig } from 'vitest/config';

// Installations come over the network, and the contract suites take their time: these limits only end what hangs.
export default defineConfig({
  test: {
    include: ['outside/test/**/*.test.ts'],
    globalSetup: ['outside/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
  },
});
