import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { HostFolder } from './host-folder.js';
import { commandOf, HostProcess } from './host-process.js';

const ON_DISK = { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: 'cache' };
const start = (host: string, folder: HostFolder, env: NodeJS.ProcessEnv) =>
  HostProcess.start(commandOf(host), folder.path, env);

test('the child container of a request ends with it, and the cache of its parent does not', async () => {
  await using folder = await HostFolder.create();
  await using host = await start('child-containers', folder, { IMGPROXY_CACHE_USE: 'memory' });
  await host.get('/cat.jpg?X-Amz-Signature=secret');
  await host.get('/nothing');
  await host.getStored('/cat.jpg?width=600');
  expect((await host.get('/cat.jpg?width=600')).cacheStatus).toBe('imgproxy-cache; hit');
  const { end, stdout } = await host.stop();
  expect(end).toBe(0);
  // Each line is written when a child container ends.
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line === 'GET /nothing 404')).toHaveLength(1);
  expect(lines.filter((line) => line === 'GET /cat.jpg 200').length).toBeGreaterThanOrEqual(4);
  expect(stdout).not.toContain('secret');
});

test('two caches are independent in what they hold and in what fails', async () => {
  const env = { ...ON_DISK, IMGPROXY_CACHE_REPORT_ERRORS: 'true' };
  const [preview, picture] = ['/cat.jpg?width=150', '/cat.jpg?width=300'];
  await using folder = await HostFolder.create();
  await using before = await start('two-caches', folder, env);
  for (const path of [preview, picture]) {
    expect([path, (await before.get(path)).cacheStatus]).toEqual([path, 'imgproxy-cache; fwd=miss; stored']);
    expect([path, (await before.get(path)).cacheStatus]).toEqual([path, 'imgproxy-cache; hit']);
  }
  const files = await readdir(`${folder.cache}/v1`, { recursive: true, withFileTypes: true });
  expect(files.filter((file) => file.isFile())).toHaveLength(1);

  const { restore } = await folder.moveCacheAway();
  const failed = await before.get(picture);
  expect([failed.status, failed.body.toString()]).toEqual([503, 'ERR_CACHE_NO_BUCKET']);
  expect(failed.headers.get('cache-control')).toBe('no-store');
  expect((await before.get(preview)).cacheStatus).toBe('imgproxy-cache; hit');
  await restore();
  expect((await before.stop()).end).toBe(0);

  await using after = await start('two-caches', folder, env);
  expect((await after.get(picture)).cacheStatus).toBe('imgproxy-cache; hit');
  expect((await after.get(preview)).cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');
});

test("a host's own logger gets what the cache logs", async () => {
  await using folder = await HostFolder.create();
  const misspelt = { IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_MEMORY_MAX_SIZ: '1' };
  await using host = await start('rebinding', folder, misspelt);
  const { stderr } = await host.stop();
  expect(stderr.trim().split('\n')).toEqual([
    '{"level":"warn","message":"IMGPROXY_CACHE_MEMORY_MAX_SIZ is set and means nothing: is IMGPROXY_CACHE_MEMORY_MAX_SIZE meant?"}',
  ]);
});
