import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from './documents.js';

const scratch = `${repository}docs/.cache/`;
let folder: string;
let host: ChildProcess;
let address: string;

beforeAll(async () => {
  await mkdir(scratch, { recursive: true });
  // Within the package, so that the host finds what it imports.
  folder = await mkdtemp(join(scratch, 'first-host-'));
  await cp(`${repository}examples/frameworks/node-http/server.mjs`, join(folder, 'server.mjs'));
  await mkdir(join(folder, 'cache'));
  await sharp({ create: { width: 900, height: 600, channels: 3, background: 'teal' } })
    .jpeg()
    .toFile(join(folder, 'cat.jpg'));
  const port = await freePort();
  address = `http://127.0.0.1:${port}/cat.jpg`;
  const env = { ...process.env, PORT: `${port}`, IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: 'cache' };
  host = spawn(process.execPath, ['server.mjs'], { cwd: folder, env, stdio: 'inherit' });
}, 60_000);

afterAll(async () => {
  host.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

test('the first host renders a picture, serves it from the cache, and stops on SIGTERM', async () => {
  // It may still be starting: the first answer is a retry's.
  await (await answered(`${address}?width=100`)).arrayBuffer();
  for (const [accept, format] of [
    ['image/avif,image/webp,*/*;q=0.8', 'webp'],
    ['*/*', 'jpeg'],
  ] as const) {
    const ask = () => fetch(`${address}?width=300`, { headers: { accept } });
    const first = await ask();
    expect(first.headers.get('cache-status')).toBe('imgproxy-cache; fwd=miss; detail=queued');
    expect(first.headers.get('vary')).toBe('Accept');
    expect(await sharp(await first.arrayBuffer()).metadata()).toMatchObject({ format, width: 300 });

    const second = await ask();
    expect(second.headers.get('cache-status')).toMatch(/^imgproxy-cache; hit(; detail=pending)?$/);
    expect(await sharp(await second.arrayBuffer()).metadata()).toMatchObject({ format });
  }

  const exited = once(host, 'exit');
  host.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  const entries = await readdir(join(folder, 'cache', 'v1'), { recursive: true, withFileTypes: true });
  expect(entries.filter((entry) => entry.isFile())).toHaveLength(3);
}, 60_000);

/** The answer of a host that may still be starting. */
async function answered(url: string): Promise<Response> {
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (host.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
