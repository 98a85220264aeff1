import { beforeAll, expect, test, vi } from 'vitest';
import { bodyOf, entryOf, expectCode, namesIn, openDriver } from '../open-driver.js';
import { ensureBucket, liveConfig, watchRequests } from './live-store.js';

const config = liveConfig();

beforeAll(() => ensureBucket(config));

test('a wrong region is corrected by what AuthorizationHeaderMalformed names', async () => {
  const requests = watchRequests();
  const { driver, events } = openDriver({ ...config, region: 'eu-west-1' });
  await driver.put('region/a', entryOf('region/a'));
  expect(requests).toHaveLength(2);
  for (let request = 0; request < 20; request += 1) await (await driver.get('region/a'))?.discard();
  expect(requests).toHaveLength(22);
  expect(events).toMatchObject([{ kind: 'region-learned', message: expect.stringContaining(config.region) }]);
  expect((await driver.check()).findings).toMatchObject([{ level: 'warning', subject: 'region' }]);
  await driver.delete(['region/a']);
});

test('DeleteObjects is refused once, and names are deleted one by one', async () => {
  const requests = watchRequests();
  const { driver, events } = openDriver(config);
  const names = ['many/a', 'many/b', 'many/c'];
  for (const name of names) await driver.put(name, entryOf(name));
  await driver.delete(names.slice(0, 2));
  await driver.delete([...names, 'many/absent']);
  expect(await namesIn(driver, 'many/')).toEqual([]);
  expect(requests.filter((request) => request.startsWith('POST'))).toHaveLength(1);
  expect(events.map(({ kind }) => kind)).toEqual(['multi-delete-refused']);
});

test('an unknown bucket and unknown keys have clear codes', async () => {
  const nowhere = openDriver({ ...config, bucket: 'live-nowhere' });
  await expectCode(nowhere.driver.get('a'), 'ERR_CACHE_NO_BUCKET', /IMGPROXY_CACHE_BUCKET/);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
  const stranger = openDriver(config);
  await expectCode(stranger.driver.get('a'), 'ERR_CACHE_ACCESS_DENIED', /AWS_SECRET_ACCESS_KEY/);
  vi.unstubAllEnvs();
  expect(await bodyOf(openDriver(config).driver, 'absent')).toBeUndefined();
});
