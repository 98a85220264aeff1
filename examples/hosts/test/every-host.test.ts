import { once } from 'node:events';
import { mkdir, rename } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { HostProcess } from './host-process.js';
import { TemporaryFolder } from './temporary-folder.js';

const CAT = '/300x200/cat.jpg';

describe.each([
  'dist/without-container.js',
  'dist/own-container.js',
  'dist/child-containers.js',
  'dist/two-caches.js',
  'src/plain-javascript.mjs',
])('%s', (file) => {
  test('draws a picture once and serves it from the cache afterwards, byte for byte', async () => {
    await using host = await HostProcess.start(file, { IMGPROXY_CACHE_USE: 'memory' });
    const first = await host.get(CAT);
    expect([first.status, first.cacheStatus]).toEqual([200, 'imgproxy-cache; fwd=miss; detail=queued']);
    expect(first.body).toContain('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">');

    const second = await host.getStored(CAT);
    expect(second.body).toBe(first.body);
    for (const { headers, body } of [first, second]) {
      expect(headers.get('content-type')).toBe('image/svg+xml');
      expect(headers.get('content-length')).toBe(String(body.length));
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['public, max-age=3600', null]);
    }
    expect((await host.get('/300x200/dog.jpg')).cacheStatus).toBe('imgproxy-cache; fwd=miss; detail=queued');
    expect((await host.get('/301x200/cat.jpg')).cacheStatus).toBe('imgproxy-cache; fwd=miss; detail=queued');
  });

  test('keeps the users of a listed header apart, and tells other caches to', async () => {
    await using host = await HostProcess.start(file, {
      IMGPROXY_CACHE_USE: 'memory',
      IMGPROXY_CACHE_KEY_HEADERS: 'X-User',
      IMGPROXY_CACHE_KEY_COOKIES: 'plan',
    });
    const clients: readonly Readonly<Record<string, string>>[] = [
      { 'x-user': 'ann' },
      { 'x-user': 'bob' },
      { cookie: 'plan=gold' },
      {},
    ];
    for (const sent of clients) {
      const { cacheStatus, headers } = await host.get(CAT, sent);
      expect([sent, cacheStatus]).toEqual([sent, 'imgproxy-cache; fwd=miss; detail=queued']);
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual([
        'private, max-age=3600',
        'X-User, Cookie',
      ]);
    }
  });

  test('refuses what is no picture without asking the cache', async () => {
    await using host = await HostProcess.start(file, { IMGPROXY_CACHE_USE: 'memory' });
    for (const path of ['/', '/300x200/', '/big/cat.jpg']) {
      const { status, cacheStatus } = await host.get(path);
      expect([path, status, cacheStatus]).toEqual([path, 404, null]);
    }
  });

  test('a store that goes away costs nobody a picture', async () => {
    await using folder = await TemporaryFolder.create();
    await using host = await HostProcess.start(file, await onDisk(folder));
    await rename(`${folder.path}/cache`, `${folder.path}/away`);
    const { status, cacheStatus } = await host.get(CAT);
    expect([status, cacheStatus]).toEqual([200, 'imgproxy-cache; fwd=miss; detail=ERR_CACHE_NO_BUCKET']);
  });

  test('where errors are reported, it is a 503 that nobody may keep', async () => {
    await using folder = await TemporaryFolder.create();
    await using host = await HostProcess.start(file, {
      ...(await onDisk(folder)),
      IMGPROXY_CACHE_REPORT_ERRORS: 'true',
    });
    expect((await host.get(CAT)).cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');
    await rename(`${folder.path}/cache`, `${folder.path}/away`);
    const { status, body, headers, cacheStatus } = await host.get(CAT);
    expect([status, body, cacheStatus]).toEqual([503, 'ERR_CACHE_NO_BUCKET', null]);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: stores what waits, and ends though clients keep connections and send half a request',
    async (signal) => {
      await using folder = await TemporaryFolder.create();
      const env = {
        ...(await onDisk(folder)),
        // One at a time and each onto the disk: the queue is full of work when the signal comes.
        IMGPROXY_CACHE_STORE_CONCURRENCY: '1',
        IMGPROXY_CACHE_FS_SYNC: 'true',
      };
      const paths = Array.from({ length: 50 }, (_, index) => `/300x200/${index}.jpg`);
      await using before = await HostProcess.start(file, env);
      const agent = new Agent({ keepAlive: true });
      const [incoming] = await once(get(new URL(CAT, before.url), { agent }), 'response');
      incoming.resume();
      const silent = connect(Number(new URL(before.url ?? '').port)).on('error', () => {});
      silent.write('GET / HTTP/1.1\r\n');
      await once(silent, 'connect');
      const answers = await Promise.all(paths.map((path) => before.get(path)));
      expect(await before.stop(signal)).toBe(0);
      agent.destroy();

      await using after = await HostProcess.start(file, env);
      for (const [index, path] of paths.entries()) {
        const { cacheStatus, body } = await after.get(path);
        expect([path, cacheStatus, body]).toEqual([path, 'imgproxy-cache; hit', answers[index]?.body]);
      }
    },
  );

  test('does not start with a wrong configuration, and names the variable', async () => {
    const { end, output } = await HostProcess.run([file], { IMGPROXY_CACHE_USE: 'fs' });
    expect(end).toBe(1);
    expect(output).toContain('IMGPROXY_CACHE_FS_ROOT');
    expect(output).not.toContain('listening');
  });
});

async function onDisk(folder: TemporaryFolder): Promise<NodeJS.ProcessEnv> {
  await mkdir(`${folder.path}/cache`);
  return { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: `${folder.path}/cache` };
}
