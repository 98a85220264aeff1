import { driverContract } from '@imgproxy-cache/driver-testkit';
import swift from '@imgproxy-cache/swift';
import { describe, it } from 'vitest';
import { FakeSwift, failure } from './fake-swift.js';
import { authOf, configOf } from './open-driver.js';

driverContract(
  { describe, it },
  {
    definition: swift,
    module: import.meta.resolve('@imgproxy-cache/swift'),
    async prepare() {
      const server = await FakeSwift.start();
      const { objects } = server;
      return {
        config: configOf(authOf(server, 1)),
        async foreign(name) {
          objects.set(name, { body: Buffer.from('not an entry'), headers: { 'content-type': 'text/plain' } });
        },
        async tamper(name, change) {
          const stored = objects.get(name);
          if (stored === undefined) throw new Error(`nothing is stored under ${name}`);
          objects.set(name, { ...stored, body: Buffer.from(change(stored.body)) });
        },
        async outage() {
          server.script = () => failure(503);
        },
        async stall() {
          // The head of an image comes with the beginning of its body, and nothing of all else.
          server.script = ({ method, path }) => {
            const stored =
              method === 'GET' ? objects.get(path.replace(/^\/v1\/AUTH_test\/images\//, '')) : undefined;
            return (response) => {
              if (stored === undefined) return;
              response.writeHead(200, {
                ...stored.headers,
                'x-trans-id': 'tx',
                'content-length': stored.body.length,
              });
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
