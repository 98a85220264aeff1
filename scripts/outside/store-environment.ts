import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeS3 } from 'fake-s3';
import { onTestFinished } from 'vitest';
import type { EmptyFolder } from './empty-folder.js';

// An image is stored before it is served, so that the next request certainly finds it.
const storedFirst = { IMGPROXY_CACHE_REPORT_ERRORS: 'true' };

/** Configures a host for an empty bucket, which goes away with the test. */
export async function emptyBucket(): Promise<Record<string, string>> {
  const server = await FakeS3.start();
  onTestFinished(() => server.stop());
  return {
    ...storedFirst,
    IMGPROXY_CACHE_USE: 's3',
    IMGPROXY_CACHE_BUCKET: 'cache',
    IMGPROXY_CACHE_S3_ENDPOINT: server.url,
    AWS_ACCESS_KEY_ID: 'TESTKEY',
    AWS_SECRET_ACCESS_KEY: 'test-secret',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

/** Configures a host for files in its own folder. */
export async function storeFolder(host: EmptyFolder): Promise<Record<string, string>> {
  const root = join(host.path, 'store');
  await mkdir(root, { recursive: true });
  return { ...storedFirst, IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: root };
}
