import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ImageServer } from './image-server.js';
import { PICTURE_FOLDER, PICTURES } from './pictures.js';
import { TemporaryFolder } from './temporary-folder.js';

// The superuser, who runs many a test, may write where modes forbid it: only a file system of its own refuses him.
const NAMESPACE = ['unshare', '--user', '--map-root-user', '--mount'];
const mayMount =
  spawnSync('unshare', [...NAMESPACE.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const notice = mayMount
  ? ''
  : ' (NOT RUN: this system lets nobody mount a file system in a namespace of his own)';
if (!mayMount) process.stderr.write(`full-disk.test.ts${notice}\n`);

/** What goes wrong with a small file system, as shell commands run inside it. */
const ACCIDENTS: readonly {
  readonly name: string;
  readonly mount: string;
  readonly happen: string;
  readonly mend: string;
  readonly operation: 'get' | 'put';
  readonly code: string;
}[] = [
  {
    name: 'has no bytes left',
    mount: 'size=1m',
    happen: 'head -c 2M /dev/zero > filler 2> /dev/null || true',
    mend: 'rm filler',
    operation: 'put',
    code: 'ERR_CACHE_NO_SPACE',
  },
  {
    name: 'has no inodes left',
    mount: 'nr_inodes=100',
    happen: 'mkdir filler; for name in $(seq 200); do touch filler/$name || break; done 2> /dev/null',
    mend: 'rm -r filler',
    operation: 'put',
    code: 'ERR_CACHE_NO_SPACE',
  },
  {
    name: 'is remounted read-only',
    mount: 'size=8m',
    happen: 'mount -o remount,ro .',
    mend: 'mount -o remount,rw .',
    operation: 'put',
    code: 'ERR_CACHE_ACCESS_DENIED',
  },
  {
    name: 'loses the folder of the cache',
    mount: 'size=8m',
    happen: 'rm -r cache',
    mend: 'mkdir cache',
    operation: 'get',
    code: 'ERR_CACHE_NO_BUCKET',
  },
];

describe.runIf(mayMount).each(ACCIDENTS)(`a disk that $name${notice}`, (accident) => {
  const { happen, mend, operation, code } = accident;

  test('by default every request is answered, few lines are logged, and the cache works again by itself', async () => {
    await using folder = await TemporaryFolder.create();
    await using server = await start(folder, accident.mount, {});
    const { body } = await server.getStored(url('before'));

    inside(server, folder, happen);
    for (let variant = 0; variant < 100; variant++) expect((await server.get(url(variant))).status).toBe(200);
    const before = await server.get(url('before'));
    expect([before.status, before.body.equals(body)]).toEqual([200, true]);
    if (operation === 'put') expect(before.cacheStatus).toBe('imgproxy-cache; hit');
    await logged(server, code);
    // One for the failures, and one for the breaker if it has opened.
    expect(failures(server).length).toBeLessThanOrEqual(2);
    expect(new Set(failures(server))).toEqual(new Set([`${operation} ${code}`]));

    inside(server, folder, mend);
    expect((await server.getStored(url('after'))).status).toBe(200);
    expect((await server.getStored(url(99))).status).toBe(200);
    expect((await server.getStored(url('before'))).body.equals(body)).toBe(true);
    expect(failures(server).length).toBeLessThanOrEqual(2);
    expect(await server.stop()).toBe(0);
  });

  test('with IMGPROXY_CACHE_REPORT_ERRORS what cannot be stored fails, until it can', async () => {
    await using folder = await TemporaryFolder.create();
    await using server = await start(folder, accident.mount, { IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    expect((await server.get(url('before'))).cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');

    inside(server, folder, happen);
    const answer = await server.get(url('during'));
    expect([answer.status, String(answer.body)]).toEqual([503, code]);
    expect(answer.headers['cache-control']).toBe('no-store');
    const before = await server.get(url('before'));
    expect(before.status).toBe(operation === 'put' ? 200 : 503);

    inside(server, folder, mend);
    expect((await server.get(url('during'))).cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');
    expect((await server.get(url('during'))).cacheStatus).toBe('imgproxy-cache; hit');
  });
});

/** Every variant takes some kilobytes. */
function url(variant: number | string): string {
  return `/x/w:64/h:64/el:1/rs:force/cb:${variant}/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@png`;
}

/** Starts the server inside a namespace where the folder is a small file system. */
async function start(folder: TemporaryFolder, options: string, env: NodeJS.ProcessEnv): Promise<ImageServer> {
  const disk = folder.join('disk');
  await mkdir(disk);
  const script = 'mount -t tmpfs -o "$1" tmpfs "$0" && mkdir "$0/cache" && shift && exec "$@"';
  return ImageServer.start(
    {
      IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
      IMGPROXY_CACHE_USE: 'fs',
      IMGPROXY_CACHE_FS_ROOT: `${disk}/cache`,
      ...env,
    },
    [...NAMESPACE, 'sh', '-c', script, disk, options],
  );
}

function inside(server: ImageServer, folder: TemporaryFolder, script: string): void {
  const namespaces = [`--target=${server.pid}`, '--user', '--mount', '--preserve-credentials'];
  execFileSync('nsenter', [...namespaces, 'sh', '-c', `cd "$0" && ${script}`, folder.join('disk')]);
}

/** What failed, a line each. */
function failures(server: ImageServer): string[] {
  return server.log
    .filter(({ code }) => code !== undefined)
    .map((line) => `${line['operation']} ${line['code']}`);
}

/** A store fails behind the back of its request. */
async function logged(server: ImageServer, code: string): Promise<void> {
  await expect.poll(() => server.log.some((line) => line['code'] === code), { timeout: 30_000 }).toBe(true);
}
