import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageServer } from './image-server.js';
import { TemporaryFolder } from './temporary-folder.js';

const ODD_NAMES = [
  'a b.png',
  '100%.png',
  '%2e%2e.png',
  'a@b.png',
  'a?b#c.png',
  'ü–☃.png',
  'a:b.png',
  '.hidden.png',
];

let folder: TemporaryFolder;
let server: ImageServer;
let image: Buffer;

beforeAll(async () => {
  folder = await TemporaryFolder.create();
  image = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#336699' } })
    .png()
    .toBuffer();
  await mkdir(folder.join('root/inner'), { recursive: true });
  await mkdir(folder.join('root-secret'));
  await writeFile(folder.join('secret.png'), image);
  await writeFile(folder.join('root-secret/secret.png'), image);
  for (const name of ['image.png', 'inner/image.png', ...ODD_NAMES])
    await writeFile(folder.join('root', name), image);
  await symlink('image.png', folder.join('root/link.png'));
  await symlink('../secret.png', folder.join('root/escape.png'));
  await symlink(folder.join('root-secret'), folder.join('root/outside'));
  await symlink('loop.png', folder.join('root/loop.png'));
  execFileSync('mkfifo', [folder.join('root/pipe.png')]);
  server = await ImageServer.start({ IMGPROXY_LOCAL_FILESYSTEM_ROOT: folder.join('root') });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

describe('what lies in the folder is served', () => {
  test.each(['image.png', 'inner/image.png', 'link.png'])('%s', async (name) => {
    expect((await server.get(`/x/plain/local:///${name}@png`)).status).toBe(200);
  });

  test.each(ODD_NAMES)('%s, plain and in base64', async (name) => {
    expect((await server.get(`/x/plain/local:///${encodeURIComponent(name)}@png`)).status).toBe(200);
    const encoded = Buffer.from(`local:///${name}`).toString('base64url');
    expect((await server.get(`/x/${encoded}.png`)).status).toBe(200);
  });
});

describe('what lies elsewhere is not', () => {
  const names = [
    '../secret.png',
    'inner/../../secret.png',
    '..%2fsecret.png',
    '%2e%2e/secret.png',
    '%2E%2E%2Fsecret.png',
    '%252e%252e%252fsecret.png',
    '..\\secret.png',
    '..%5csecret.png',
    '../root-secret/secret.png',
    'inner/../image.png',
    './image.png',
    'inner//image.png',
    '/etc/hostname',
    '%2Fetc%2Fhostname',
    'image.png%00.jpg',
    '%00',
    'escape.png',
    'outside/secret.png',
    'loop.png',
    'pipe.png',
    'inner',
    'inner/',
    'image.png/',
    'missing.png',
    `${'a'.repeat(300)}.png`,
    `${'a/'.repeat(3000)}a.png`,
    '%ff%fe.png',
  ];

  test.each(names)('%s', async (name) => {
    const encoded = Buffer.from(`local:///${name}`).toString('base64url');
    for (const path of [`/x/plain/local:///${name}@png`, `/x/plain/local:///${name}`, `/x/${encoded}`]) {
      const answer = await server.get(path);
      // 400: Node's and Fastify's own answer to what is no path, as it is that of Go's.
      expect([path, [400, 404].includes(answer.status)]).toEqual([path, true]);
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(String(answer.body)).not.toContain(folder.path);
    }
  });

  test.each([
    'http://localhost/a.png',
    'https://localhost/a.png',
    's3://bucket/a.png',
    'file:///etc/hostname',
    'data:,x',
  ])('%s', async (source) => {
    const answer = await server.get(`/x/plain/${encodeURIComponent(source)}@png`);
    expect([answer.status, String(answer.body)]).toEqual([
      404,
      'Invalid source URL: only local:/// sources are served',
    ]);
  });

  test('a file that was there and became a link to the outside', async () => {
    await symlink(folder.join('secret.png'), folder.join('root/turned.png'));
    expect((await server.get('/x/plain/local:///turned.png@png')).status).toBe(404);
  });
});
