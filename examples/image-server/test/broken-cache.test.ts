import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { ImageServer } from './image-server.js';
import { PICTURE_FOLDER, PICTURES } from './pictures.js';
import { TemporaryFolder } from './temporary-folder.js';

const url = (variant: number | string) =>
  `/x/w:32/cb:${variant}/plain/local:///${encodeURIComponent(PICTURES[0] as string)}@webp`;

/** What happens to the cache's root while the server runs, and what an operator does about it. */
const ACCIDENTS: readonly {
  readonly name: string;
  readonly code: string;
  readonly happen: (root: string) => Promise<unknown>;
  readonly mend: (root: string) => Promise<unknown>;
}[] = [
  {
    name: 'the root is moved away',
    code: 'ERR_CACHE_NO_BUCKET',
    happen: (root) => rename(root, `${root}-away`),
    mend: (root) => rename(`${root}-away`, root),
  },
  {
    name: 'the root is removed',
    code: 'ERR_CACHE_NO_BUCKET',
    happen: (root) => rm(root, { recursive: true }),
    mend: (root) => mkdir(root),
  },
  {
    name: 'the root is replaced by a file',
    code: 'ERR_CACHE_NO_BUCKET',
    happen: async (root) => {
      await rm(root, { recursive: true });
      await writeFile(root, '');
    },
    mend: async (root) => {
      await rm(root);
      await mkdir(root);
    },
  },
];

test.each(ACCIDENTS)('by default every image is rendered when $name', async ({ code, happen, mend }) => {
  await using folder = await TemporaryFolder.create();
  const root = folder.join('cache');
  await mkdir(root);
  await using server = await start(root);
  const { body } = await server.getStored(url(0));

  await happen(root);
  const failed = await server.get(url(0));
  expect([failed.status, failed.cacheStatus]).toEqual([200, `imgproxy-cache; fwd=miss; detail=${code}`]);
  expect(failed.body.equals(body)).toBe(true);
  expect(await health(server)).toMatchObject({ status: 'degraded', code });
  // Look-ups that went well before count too.
  for (let variant = 1; !(await isOpen(server)); variant++) {
    expect((await server.get(url(variant))).status).toBe(200);
  }
  expect((await server.get(url(0))).cacheStatus).toBe('imgproxy-cache; fwd=miss; detail=breaker-open');
  // One for the failures, one for the breaker.
  expect(linesOf(server, code)).toEqual(['get', 'get']);

  await mend(root);
  for (let variant = 0; variant < 20; variant++)
    expect((await server.getStored(url(variant))).cacheStatus).toBe('imgproxy-cache; hit');
  expect(await health(server)).toMatchObject({ status: 'healthy' });
  expect(linesOf(server, code)).toEqual(['get', 'get']);
});

test.each(ACCIDENTS)(
  'with IMGPROXY_CACHE_REPORT_ERRORS requests fail while $name',
  async ({ code, happen, mend }) => {
    await using folder = await TemporaryFolder.create();
    const root = folder.join('cache');
    await mkdir(root);
    await using server = await start(root, { IMGPROXY_CACHE_REPORT_ERRORS: 'true' });
    expect((await server.get(url(0))).cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');
    expect((await server.get(url(0))).cacheStatus).toBe('imgproxy-cache; hit');

    await happen(root);
    for (const variant of [0, 1]) {
      const answer = await server.get(url(variant));
      expect([answer.status, String(answer.body)]).toEqual([503, code]);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(answer.headers['cache-status']).toBeUndefined();
    }
    // What has nothing to do with the cache is answered as ever.
    expect((await server.get('/')).status).toBe(200);
    expect((await server.get('/x/plain/local:///missing.png')).status).toBe(503);
    expect((await server.get('/x/nonsense:1/plain/local:///missing.png')).status).toBe(404);

    await mend(root);
    // A probe may have to close a breaker first.
    const answer = await vi.waitFor(
      async () => {
        const served = await server.get(url(1));
        expect(served.status).toBe(200);
        return served;
      },
      { timeout: 20_000 },
    );
    expect(answer.cacheStatus).toBe('imgproxy-cache; fwd=miss; stored');
    expect((await server.get(url(1))).cacheStatus).toBe('imgproxy-cache; hit');
  },
);

test('a damaged file is rendered and stored anew', async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await start(folder.path);
  const first = await server.getStored(url(0));
  const files = await readdir(folder.path, { recursive: true, withFileTypes: true });
  const entries = files.filter((file) => file.isFile());
  expect(entries.length).toBe(1);
  for (const { parentPath, name } of entries) await writeFile(`${parentPath}/${name}`, 'damaged');

  const second = await server.get(url(0));
  expect([second.status, second.cacheStatus]).toEqual([
    200,
    'imgproxy-cache; fwd=miss; detail=ERR_CACHE_CORRUPT',
  ]);
  expect(second.body.equals(first.body)).toBe(true);
  expect((await server.getStored(url(0))).body.equals(first.body)).toBe(true);
});

function start(root: string, env: NodeJS.ProcessEnv = {}): Promise<ImageServer> {
  return ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_CACHE_USE: 'fs',
    IMGPROXY_CACHE_FS_ROOT: root,
    // However long the requests take here, they count.
    IMGPROXY_CACHE_BREAKER_WINDOW_SECONDS: '3600',
    ...env,
  });
}

async function health(server: ImageServer): Promise<{ readonly status: string }> {
  return JSON.parse(String((await server.get('/health')).body)).cache;
}

async function isOpen(server: ImageServer): Promise<boolean> {
  return (await health(server)).status === 'open';
}

/** The operation of every line that was logged with this code. */
function linesOf(server: ImageServer, code: string): unknown[] {
  return server.log.filter((line) => line['code'] === code).map(({ operation }) => operation);
}
