import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      'packages/*/vitest.config.ts',
      'packages/s3/vitest.sdk-commands.config.ts',
      'examples/*/vitest.config.ts',
      'scripts/vitest.config.ts',
      'docs/vitest.config.ts',
    ],
  },
});
