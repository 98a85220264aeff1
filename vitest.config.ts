import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      // Their runs take as long as all other tests together: .ci/run has steps for them.
      'packages/!(bench|soak)/vitest.config.ts',
      'packages/s3/vitest.sdk-commands.config.ts',
      'examples/*/vitest.config.ts',
      'scripts/vitest.config.ts',
      'docs/vitest.config.ts',
    ],
  },
});
