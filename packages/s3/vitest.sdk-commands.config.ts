import { defineConfig } from 'vitest/config';

/** Every test of the driver once more, with objects read and stored by the SDK's own commands. */
export default defineConfig({
  test: {
    name: '@imgproxy-cache/s3 by SDK commands',
    env: { IMGPROXY_CACHE_S3_USE_SDK_COMMANDS: 'true' },
    include: ['test/**/*.test.ts'],
    // Goes both ways by itself.
    exclude: ['test/same-requests.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
