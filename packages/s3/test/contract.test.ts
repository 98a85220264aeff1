import { driverContract } from '@imgproxy-cache/driver-testkit';
import s3 from '@imgproxy-cache/s3';
import { describe, it } from 'vitest';
import { configOf, setEnvironment, TEST_KEYS } from './open-driver.js';
import { failure, S3Server } from './s3-server.js';

driverContract(
  { describe, it },
  {
    definition: s3,
    module: import.meta.resolve('@imgproxy-cache/s3'),
    async prepare() {
      setEnvironment(TEST_KEYS);
      const server = await S3Server.start();
      const { objects } = server.bucket();
      return {
        config: configOf({ endpoint: server.url }),
        async foreign(name) {
          const headers = { etag: '"foreign"', 'content-type': 'text/plain' };
          objects.set(name, { body: Buffer.from('not an entry'), headers });
        },
        async tamper(name, change) {
          const stored = objects.get(name);
          if (stored === undefined) throw new Error(`nothing is stored under ${name}`);
          objects.set(name, { ...stored, body: Buffer.from(change(stored.body)) });
        },
        async outage() {
          server.script = () => failure(500, 'InternalError');
        },
        async stall() {
          // The head of an image comes with the beginning of its body, and nothing of all else.
          server.script = ({ method, key }) => {
            const stored = method === 'GET' ? objects.get(key) : undefined;
            return (response) => {
              if (stored === undefined) return;
              response.writeHead(200, { ...stored.headers, 'content-length': stored.body.length });
              response.write(stored.body.subarray(0, 1000));
            };
          };
          return () => {
            server.script = () => undefined;
          };
        },
      };
    },
  },
);
