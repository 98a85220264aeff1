import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { FakeS3 } from 'fake-s3';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { root } from '../../toolchain.mjs';
import { succeed } from '../process.js';

const { current: node } = inject('nodes');
const picture = '/unsigned/rs:fit:100:100/plain/local:///lighthouse.jpg@webp';

describe("what the Dockerfile's commands build", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-'));
    await copySources(join(folder, 'src'));
    const [build = ''] = (await readFile(`${root}examples/deploy/Dockerfile`, 'utf8')).split(
      /^FROM .*\n(?=ENV)/m,
    );
    const commands = [...build.matchAll(/^RUN (.*)$/gm)].map(([, command = '']) => command);
    expect(commands).toHaveLength(3);
    for (const command of commands) {
      const local = command.replace(/ \/app$/, ` ${join(folder, 'app')}`);
      await succeed(['sh', '-c', local], { cwd: join(folder, 'src') });
    }
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('serves from a bucket, answers probes without asking it, and stops on SIGTERM', async () => {
    const store = await FakeS3.start();
    onTestFinished(() => store.stop());
    const server = spawn(node, ['node_modules/image-server/dist/main.js'], {
      cwd: join(folder, 'app'),
      env: {
        UV_THREADPOOL_SIZE: '6',
        IMGPROXY_BIND: '127.0.0.1:0',
        IMGPROXY_CACHE_USE: 's3',
        IMGPROXY_CACHE_BUCKET: 'cache',
        IMGPROXY_CACHE_S3_ENDPOINT: store.url,
        // An image is stored before it is served, so that the next request certainly finds it.
        IMGPROXY_CACHE_REPORT_ERRORS: 'true',
        IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '60',
        AWS_ACCESS_KEY_ID: 'TESTKEY',
        AWS_SECRET_ACCESS_KEY: 'test-secret',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void server.kill('SIGKILL'));
    const exited = once(server, 'exit');
    const [line] = await once(createInterface(server.stdout), 'line');
    const url = String(line).replace('image server: ', '');

    const statuses: (string | null)[] = [];
    for (let request = 0; request < 2; request += 1) {
      const response = await fetch(url + picture);
      await response.arrayBuffer();
      statuses.push(response.headers.get('cache-status'));
    }
    expect(statuses).toEqual(['imgproxy-cache; fwd=miss; stored', 'imgproxy-cache; hit']);

    const before = store.requests.length;
    for (let probe = 0; probe < 10; probe += 1) expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(store.requests.length).toBe(before);

    server.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});

/** What `COPY . .` copies: what git ignores is in .dockerignore, too. */
async function copySources(target: string): Promise<void> {
  const listed = await succeed(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const path of listed.split('\0').filter((each) => each !== '')) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await cp(root + path, join(target, path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      // Deleted, and not yet committed.
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
