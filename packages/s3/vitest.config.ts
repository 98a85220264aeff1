import { defineConfig } from 'vitest/config';

// The SDK waits for seconds between its attempts at a store, or an STS, that asks for fewer requests.
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
