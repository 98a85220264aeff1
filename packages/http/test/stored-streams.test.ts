import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesOf, Host, VERIFY_BYTES } from './host.js';

// Too large to be verified whole: it is streamed from its file.
const PATH = `/${VERIFY_BYTES * 5}`;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'imgproxy-cache-http-'));
});
afterEach(() => rm(root, { recursive: true }));

function start(): Promise<Host> {
  return Host.start({ env: { IMGPROXY_CACHE_USE: 'fs', IMGPROXY_CACHE_FS_ROOT: root } });
}

test('a stored stream has a tag and a length, also for HEAD and 304, and no ranges', async () => {
  await using host = await start();
  await host.ask(PATH);
  const hit = await host.ask(PATH, { range: 'bytes=0-1' });
  const { etag = '' } = hit.headers;
  expect(hit.status).toBe(200);
  expect(Buffer.compare(hit.body, bytesOf(PATH))).toBe(0);
  expect(hit.headers).toMatchObject({
    'cache-status': 'imgproxy-cache; hit',
    'content-length': String(hit.body.length),
    etag: expect.stringMatching(/^".+"$/),
  });
  expect(hit.headers).not.toHaveProperty('accept-ranges');

  const head = await host.ask(PATH, {}, 'HEAD');
  expect([head.status, head.headers['etag'], head.headers['content-length'], head.body.length]).toEqual([
    200,
    etag,
    hit.headers['content-length'],
    0,
  ]);
  const unchanged = await host.ask(PATH, { 'if-none-match': etag });
  expect([unchanged.status, unchanged.headers['etag']]).toEqual([304, etag]);
  expect(host.renders).toBe(1);
  expect(host.cache.load.bytes).toBe(0);
});

test('a stored stream that is corrupt never looks whole', async () => {
  await using host = await start();
  await host.ask(PATH);
  const names = await readdir(root, { recursive: true, withFileTypes: true });
  const [stored] = names.filter((entry) => entry.isFile() && entry.parentPath.includes('v1'));
  const file = await open(join(stored?.parentPath ?? '', stored?.name ?? ''), 'r+');
  await file.write('x', VERIFY_BYTES * 2);
  await file.close();

  await expect(host.ask(PATH)).rejects.toThrow();
  expect(host.errors).toEqual([
    { error: expect.objectContaining({ code: 'ERR_CACHE_CORRUPT' }), status: 200 },
  ]);
  const healed = await host.ask(PATH);
  expect(Buffer.compare(healed.body, bytesOf(PATH))).toBe(0);
  expect(host.renders).toBe(2);
});
