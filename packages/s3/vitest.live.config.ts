import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * Suites on a real store: with `--mode ceph` and `--mode swift` at the addresses in their files, otherwise on the
 * store that the variables of the driver and of AWS name.
 */
export default defineConfig(({ mode }) => {
  const addresses = fileURLToPath(new URL(`test/live/${mode}.env`, import.meta.url));
  if (existsSync(addresses)) process.loadEnvFile(addresses);
  return {
    test: {
      include: ['test/live/*.live.ts'],
      fileParallelism: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  };
});
