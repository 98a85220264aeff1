import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { setEnvironment, TEST_KEYS } from './open-driver.js';
import { S3Server, testAuthority, testTls } from './s3-server.js';
import { fileOf } from './written-file.js';

test.each(['127.0.0.2,127.0.0.1', '127.0.0.1,127.0.0.2'])(
  'a host reaches its store by https at that of two addresses (%s) that does not refuse',
  async (addresses) => {
    setEnvironment(TEST_KEYS);
    const server = await S3Server.start({ tls: testTls });
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('processes/host.mjs', import.meta.url))],
      {
        env: {
          ...process.env,
          ADDRESSES: addresses,
          NODE_EXTRA_CA_CERTS: await fileOf(testAuthority.toString()),
          IMGPROXY_CACHE_USE: 's3',
          IMGPROXY_CACHE_BUCKET: 'cache',
          IMGPROXY_CACHE_S3_ENDPOINT: `https://s3.example.com:${server.port}`,
          IMGPROXY_CACHE_REPORT_ERRORS: 'true',
        },
      },
    );
    expect(stdout).toBe('rendered imgproxy-cache; fwd=miss; stored\nrendered imgproxy-cache; hit\n');
  },
);
