import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { HostFolder } from './host-folder.js';
import { commandOf, HostProcess } from './host-process.js';

const CAT = '/cat.jpg?width=300';
const MISS = 'imgproxy-cache; fwd=miss; detail=queued';
const ON_DISK = { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: 'cache' };
const hosts = ['inversify', 'child-containers', 'two-caches', 'rebinding'];

describe.each(hosts)('%s', (name) => {
  const command = commandOf(name);

  test('renders a picture once, serves it from the cache afterwards, and answers 404 for anything else', async () => {
    await using folder = await HostFolder.create();
    await using host = await HostProcess.start(command, folder.path, { IMGPROXY_CACHE_USE: 'memory' });
    const first = await host.get(CAT);
    expect([first.status, first.cacheStatus]).toEqual([200, MISS]);
    const second = await host.getStored(CAT);
    expect(second.body.equals(first.body)).toBe(true);
    for (const { headers, body } of [first, second]) {
      expect(headers.get('content-type')).toBe('image/webp');
      expect(headers.get('content-length')).toBe(String(body.length));
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['max-age=3600, public', null]);
    }
    expect((await host.get('/cat.jpg?width=600')).cacheStatus).toBe(MISS);
    for (const path of ['/', '//', '/dog.jpg', '/%zz?width=%zz']) {
      expect([path, (await host.get(path)).status]).toEqual([path, 404]);
    }
  });

  test('keeps the users of a listed header apart, and tells other caches to', async () => {
    await using folder = await HostFolder.create();
    await using host = await HostProcess.start(command, folder.path, {
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
      expect([sent, cacheStatus]).toEqual([sent, MISS]);
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual([
        'max-age=3600, private',
        'X-User, Cookie',
      ]);
    }
  });

  test('serves pictures while the store is away', async () => {
    await using folder = await HostFolder.create();
    await using host = await HostProcess.start(command, folder.path, ON_DISK);
    await folder.moveCacheAway();
    const { status, cacheStatus } = await host.get(CAT);
    expect([status, cacheStatus]).toEqual([200, 'imgproxy-cache; fwd=miss; detail=ERR_CACHE_NO_BUCKET']);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: stores what waits and ends, although a client keeps its connection',
    async (signal) => {
      await using folder = await HostFolder.create();
      await using before = await HostProcess.start(command, folder.path, ON_DISK);
      const agent = new Agent({ keepAlive: true });
      const url = `http://127.0.0.1:${before.port}/cat.jpg?width=1200`;
      const [incoming] = await once(get(url, { agent }), 'response');
      await once(incoming.resume(), 'end');
      const answers = await Promise.all([300, 600].map((width) => before.get(`/cat.jpg?width=${width}`)));
      expect((await before.stop(signal)).end).toBe(0);
      agent.destroy();

      await using after = await HostProcess.start(command, folder.path, ON_DISK);
      const later = await Promise.all([300, 600].map((width) => after.get(`/cat.jpg?width=${width}`)));
      expect(later.map(({ cacheStatus }) => cacheStatus)).toEqual(Array(2).fill('imgproxy-cache; hit'));
      expect(later.map(({ body }) => body)).toEqual(answers.map(({ body }) => body));
    },
  );

  test('does not start with a wrong configuration, and names the variable', async () => {
    await using folder = await HostFolder.create();
    const { end, stderr } = await HostProcess.run(command, folder.path, { IMGPROXY_CACHE_USE: 'fs' });
    expect(end).toBe(1);
    expect(stderr).toContain('IMGPROXY_CACHE_FS_ROOT');
  });
});

test('a host ends although a client has sent only half a request', async () => {
  await using folder = await HostFolder.create();
  await Promise.all(
    hosts.map(async (name) => {
      const env = { IMGPROXY_CACHE_USE: 'memory' };
      await using host = await HostProcess.start(commandOf(name), folder.path, env);
      const silent = connect(host.port, '127.0.0.1').on('error', () => {});
      await once(silent, 'connect');
      silent.write('GET / HTTP/1.1\r\n');
      expect((await host.stop()).end).toBe(0);
    }),
  );
});
