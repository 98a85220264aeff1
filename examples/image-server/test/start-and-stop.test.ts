import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ImageServer } from './image-server.js';
import { PICTURE_FOLDER, PICTURES, VARIANTS } from './pictures.js';
import { TemporaryFolder } from './temporary-folder.js';

describe('stopping', () => {
  test('what is being stored when the signal comes is there after a restart', async () => {
    await using folder = await TemporaryFolder.create();
    const env = {
      ...onDisk(folder),
      // One at a time and each onto the disk: the queue is full of work when the signal comes.
      IMGPROXY_CACHE_STORE_CONCURRENCY: '1',
      IMGPROXY_CACHE_FS_SYNC: 'true',
    };
    await using before = await ImageServer.start(env);
    const answers = await Promise.all(VARIANTS.map(({ path }) => before.get(`/x${path}`)));
    expect(await before.stop()).toBe(0);

    await using after = await ImageServer.start(env);
    for (const [index, { path }] of VARIANTS.entries()) {
      const answer = await after.get(`/x${path}`);
      expect([path, answer.cacheStatus]).toEqual([path, 'imgproxy-cache; hit']);
      expect(answer.body.equals(answers[index]?.body as Buffer)).toBe(true);
    }
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: requests that run are answered, and stored',
    async (signal) => {
      await using folder = await TemporaryFolder.create();
      await using before = await ImageServer.start(onDisk(folder));
      const paths = Array.from(
        { length: 12 },
        (_, index) => `/x/w:400/cb:${index}/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@avif`,
      );
      const agent = new Agent({ keepAlive: true });
      const running = paths.map(async (path) => {
        const outgoing = request(before.url, { path, agent });
        outgoing.end();
        const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
        await incoming.toArray();
        return incoming.statusCode;
      });
      // Answered after the requests above have come in.
      await before.get('/health');
      const stopped = before.stop(signal);
      expect(await Promise.all(running)).toEqual(paths.map(() => 200));
      // A client that keeps its connection does not keep the server.
      expect(await stopped).toBe(0);
      agent.destroy();

      await using after = await ImageServer.start(onDisk(folder));
      for (const path of paths)
        expect([path, (await after.get(path)).cacheStatus]).toEqual([path, 'imgproxy-cache; hit']);
    },
  );

  test('clients that have sent no whole request are gone before the running requests end', async () => {
    await using server = await ImageServer.start({ IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER });
    const { hostname, port } = new URL(server.url);
    const openSocket = async (sent: string) => {
      const socket = connect(Number(port), hostname).on('error', () => {});
      await once(socket, 'connect');
      if (sent !== '') await promisify(socket.write).call(socket, sent);
      return socket;
    };
    const silent = await openSocket('');
    const halfSent = await openSocket('GET /health HTTP/1.1\r\nHost: a\r\n');
    // One whole answer, then half a request more.
    const kept = await openSocket('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(kept, 'data');
    await promisify(kept.write).call(kept, 'GET /health HTTP/1.1\r\n');

    const ends: string[] = [];
    const running = Array.from({ length: 6 }, async (_, index) => {
      const path = `/x/w:400/cb:${index}/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@avif`;
      const { status } = await server.get(path);
      ends.push(`answered with ${status}`);
    });
    await server.get('/health');
    const closed = [silent, halfSent, kept].map(async (socket) => {
      await once(socket.resume(), 'close');
      ends.push('closed');
    });
    expect(await server.stop()).toBe(0);
    await Promise.all([...closed, ...running]);
    expect(ends.toSorted()).toEqual([
      ...running.map(() => 'answered with 200'),
      'closed',
      'closed',
      'closed',
    ]);
    expect(ends.lastIndexOf('closed')).toBeLessThan(ends.lastIndexOf('answered with 200'));
  });

  test('a killed process leaves whole images or none', async () => {
    await using folder = await TemporaryFolder.create();
    await using before = await ImageServer.start(onDisk(folder));
    const answers = await Promise.all(VARIANTS.map(({ path }) => before.get(`/x${path}`)));
    expect(await before.stop('SIGKILL')).toBe('SIGKILL');

    await using after = await ImageServer.start(onDisk(folder));
    for (const [index, { path }] of VARIANTS.entries()) {
      const answer = await after.get(`/x${path}`);
      expect(answer.status).toBe(200);
      expect(answer.body.equals(answers[index]?.body as Buffer)).toBe(true);
    }
  });
});

test('a client that goes away stops nothing that others wait for', async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await ImageServer.start(onDisk(folder));
  const path = `/x/w:300/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@avif`;
  const leaving = Array.from({ length: 5 }, () =>
    request(server.url, { path, agent: false }).on('error', () => {}),
  );
  for (const outgoing of leaving) outgoing.end();
  const staying = server.get(path);
  await server.get('/health');
  for (const outgoing of leaving) outgoing.destroy();
  expect((await staying).status).toBe(200);
  expect((await server.getStored(path)).status).toBe(200);
  expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('what no client waits for any more is not rendered', async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await ImageServer.start(onDisk(folder));
  const path = (variant: number | string) =>
    `/x/w:300/cb:${variant}/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@avif`;
  const leaving = Array.from({ length: 40 }, (_, index) =>
    request(server.url, { path: path(index), agent: false }).on('error', () => {}),
  );
  for (const outgoing of leaving) outgoing.end();
  await server.get('/health');
  for (const outgoing of leaving) outgoing.destroy();
  // Images are rendered in the order they are asked for: this one comes after all of them.
  await server.getStored(path('last'));
  expect((await server.get(path(39))).cacheStatus).toBe('imgproxy-cache; fwd=miss; detail=queued');
});

describe('starting', () => {
  test('says where it listens and what the cache does', async () => {
    await using folder = await TemporaryFolder.create();
    await using disk = await ImageServer.start(onDisk(folder));
    expect(disk.output).toEqual([
      expect.stringMatching(/^image server: http:\/\/127\.0\.0\.1:\d+$/),
      `pictures: ${PICTURE_FOLDER}`,
      `cache: fs, in ${folder.path}, images of up to 32 MiB`,
    ]);
    await using off = await ImageServer.start({});
    expect(off.output.at(-1)).toBe(
      'cache: off, every request renders its image (IMGPROXY_CACHE_USE is blank)',
    );
    await using everywhere = await ImageServer.start({ IMGPROXY_BIND: ':0' });
    expect(everywhere.url).toMatch(/^http:\/\/localhost:\d+$/);
    expect((await everywhere.get('/health')).status).toBe(200);
  });

  test.each<[name: string, env: NodeJS.ProcessEnv, ...messages: string[]]>([
    [
      'a driver that is not installed',
      { IMGPROXY_CACHE_USE: 'nowhere' },
      'npm install @imgproxy-cache/nowhere',
    ],
    ['no root', { IMGPROXY_CACHE_USE: 'fs' }, 'IMGPROXY_CACHE_FS_ROOT'],
    [
      'several faults of the cache',
      { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_REPORT_ERRORS: 'yes', IMGPROXY_CACHE_MAX_ENTRY_SIZE: '-1' },
      'IMGPROXY_CACHE_FS_ROOT',
      'IMGPROXY_CACHE_REPORT_ERRORS',
      'IMGPROXY_CACHE_MAX_ENTRY_SIZE',
    ],
    [
      'several faults of the server',
      { IMGPROXY_BIND: '8080', IMGPROXY_LOCAL_FILESYSTEM_ROOT: '/nowhere/at/all', IMGPROXY_TTL: '1d' },
      'IMGPROXY_BIND',
      'IMGPROXY_LOCAL_FILESYSTEM_ROOT',
      'IMGPROXY_TTL',
    ],
    ['a key without a salt', { IMGPROXY_KEY: 'aa' }, 'IMGPROXY_SALT'],
  ])('%s: the process ends and says why', async (_name, env, ...messages) => {
    const { code, errorOutput } = await ImageServer.failToStart(env);
    expect(code).toBe(1);
    for (const message of messages) expect(errorOutput).toContain(message);
    expect(errorOutput).not.toMatch(/^\s+at /m);
  });

  test.each([
    [
      '192.0.2.1:8080',
      /cannot listen on 192\.0\.2\.1:8080 \(EADDRNOTAVAIL\): this machine has no such address/,
    ],
    // Without a name server nobody can say that there is no such name.
    ['host.invalid:8080', /cannot listen on host\.invalid:8080 \((ENOTFOUND|EAI_AGAIN)\): the host name /],
  ])('%s: the process ends and says why', async (bind, message) => {
    const { code, errorOutput } = await ImageServer.failToStart({ IMGPROXY_BIND: bind });
    expect([code, errorOutput]).toEqual([1, expect.stringMatching(message)]);
    expect(errorOutput).not.toMatch(/^\s+at /m);
  });

  test('a port that is taken: the process ends, names the variable and says what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address() as { port: number };
    const { code, errorOutput } = await ImageServer.failToStart({
      IMGPROXY_BIND: `127.0.0.1:${address.port}`,
    });
    other.close();
    expect(code).toBe(1);
    expect(errorOutput.split('\n')).toEqual([
      'the configuration of the server is wrong:',
      `- IMGPROXY_BIND: cannot listen on 127.0.0.1:${address.port} (EADDRINUSE): something listens there already. End it, or choose another port, such as IMGPROXY_BIND=:8081; port 0 takes any that is free`,
    ]);
  });

  test('a cache that fails its check: with IMGPROXY_CACHE_REPORT_ERRORS the process ends, without it serves', async () => {
    await using folder = await TemporaryFolder.create();
    // A link where the driver wants a folder of its own.
    const env = { ...onDisk(folder), IMGPROXY_CACHE_BUCKET: 'bucket' };
    await symlink(folder.path, folder.join('bucket'));
    const { code, errorOutput } = await ImageServer.failToStart({
      ...env,
      IMGPROXY_CACHE_REPORT_ERRORS: 'true',
    });
    expect([code, errorOutput]).toEqual([1, expect.stringContaining('symbolic link')]);

    await using server = await ImageServer.start(env);
    expect((await server.get(`/x${VARIANTS[0]?.path}`)).status).toBe(200);
    expect(String((await server.get('/health')).body)).toContain('degraded');
  });
});

function onDisk(folder: TemporaryFolder): NodeJS.ProcessEnv {
  return {
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_CACHE_USE: 'fs',
    IMGPROXY_CACHE_FS_ROOT: folder.path,
  };
}
