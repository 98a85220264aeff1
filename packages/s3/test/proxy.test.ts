import { expect, test, vi } from 'vitest';
import { startService } from './http-service.js';
import {
  entryOf,
  expectCode,
  namesIn,
  openDriver,
  openStore,
  setEnvironment,
  TEST_KEYS,
} from './open-driver.js';

test('every request of the driver goes through the proxy of the environment', async () => {
  setEnvironment(TEST_KEYS);
  const proxy = await startService(({ method, url }, response) => {
    if (url.includes('list-type')) {
      response.writeHead(200, { 'content-type': 'application/xml' });
      response.end(
        '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>',
      );
    } else if (method === 'GET') {
      response.writeHead(404, { 'content-type': 'application/xml' });
      response.end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>');
    } else {
      response.writeHead(method === 'PUT' ? 200 : 204, { etag: '"x"' }).end();
    }
  });
  vi.stubEnv('HTTP_PROXY', proxy.url);
  const { driver } = openDriver({ endpoint: 'http://store.invalid:9000' });
  await driver.put('a', entryOf('a'));
  expect(await driver.get('a')).toBeUndefined();
  expect(await namesIn(driver, '')).toEqual([]);
  await driver.delete(['a']);
  expect(proxy.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'PUT http://store.invalid:9000/cache/a',
    'GET http://store.invalid:9000/cache/a',
    'GET http://store.invalid:9000/cache/?list-type=2&prefix=',
    'DELETE http://store.invalid:9000/cache/a',
  ]);
});

test('NO_PROXY leaves the store alone', async () => {
  const { driver, server } = await openStore();
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  await driver.put('a', entryOf('a'));
  expect(server.requests).toHaveLength(1);
});

test('a proxy that cannot be used is a configuration error, which does not repeat its password', async () => {
  const { driver } = await openStore();
  vi.stubEnv('HTTP_PROXY', 'socks5://user:hunter2@127.0.0.1:1080');
  await expectCode(driver.get('a'), 'ERR_CACHE_CONFIG', /^(?!.*hunter2).*socks5.*HTTP_PROXY/);
});
