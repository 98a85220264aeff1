import { mkdir, readdir, rename } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { HostProcess } from './host-process.js';
import { TemporaryFolder } from './temporary-folder.js';

test("a host's own logger gets what the cache logs", async () => {
  await using host = await HostProcess.start('dist/own-container.js', {
    IMGPROXY_CACHE_USE: 'memory',
    IMGPROXY_CACHE_MEMORY_MAX_SIZ: '1',
  });
  await host.stop();
  expect(host.output.split('\n').filter((line) => line.startsWith('{'))).toEqual([
    '{"level":"warn","message":"IMGPROXY_CACHE_MEMORY_MAX_SIZ is set and means nothing: is IMGPROXY_CACHE_MEMORY_MAX_SIZE meant?"}',
  ]);
});

test('the child container of a request ends with it, and the cache of its parent does not', async () => {
  await using host = await HostProcess.start('dist/child-containers.js', { IMGPROXY_CACHE_USE: 'memory' });
  await host.get('/300x200/cat.jpg?X-Amz-Signature=secret');
  await host.get('/nothing');
  await host.getStored('/64x64/dog.jpg');
  expect((await host.get('/64x64/dog.jpg')).cacheStatus).toBe('imgproxy-cache; hit');
  expect(await host.get('/health')).toMatchObject({ status: 200, body: 'healthy' });
  expect(await host.stop()).toBe(0);
  // Each line is written when a child container ends.
  expect(host.output.split('\n')).toEqual(
    expect.arrayContaining([
      'GET /300x200/cat.jpg 200',
      'GET /nothing 404',
      'GET /64x64/dog.jpg 200',
      'GET /health 200',
    ]),
  );
});

test('two caches keep apart: in what they hold, and in what fails', async () => {
  await using folder = await TemporaryFolder.create();
  const root = `${folder.path}/cache`;
  await mkdir(root);
  const env = {
    IMGPROXY_CACHE_USE: 'fs',
    IMGPROXY_CACHE_FS_ROOT: root,
    IMGPROXY_CACHE_REPORT_ERRORS: 'true',
  };
  await using before = await HostProcess.start('dist/two-caches.js', env);
  for (const path of ['/64x64/cat.jpg', '/300x200/cat.jpg']) {
    expect([path, (await before.get(path)).cacheStatus]).toEqual([path, 'imgproxy-cache; fwd=miss; stored']);
    expect([path, (await before.get(path)).cacheStatus]).toEqual([path, 'imgproxy-cache; hit']);
  }
  const files = await readdir(`${root}/v1`, { recursive: true, withFileTypes: true });
  expect(files.filter((file) => file.isFile())).toHaveLength(1);

  await rename(root, `${folder.path}/away`);
  expect(await before.get('/300x200/cat.jpg')).toMatchObject({ status: 503, body: 'ERR_CACHE_NO_BUCKET' });
  expect(await before.get('/64x64/cat.jpg')).toMatchObject({
    status: 200,
    cacheStatus: 'imgproxy-cache; hit',
  });
  await rename(`${folder.path}/away`, root);
  expect(await before.stop()).toBe(0);

  await using after = await HostProcess.start('dist/two-caches.js', env);
  expect((await after.get('/300x200/cat.jpg')).cacheStatus).toBe('imgproxy-cache; hit');
  expect((await after.get('/64x64/cat.jpg')).cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');
});
