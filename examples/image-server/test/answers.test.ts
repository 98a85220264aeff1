import { once } from 'node:events';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { ImageServer } from './image-server.js';
import { PICTURE_FOLDER, PICTURES, picturePath } from './pictures.js';

const PATH = `/x${picturePath(PICTURES[0] as string, 160, 'webp')}`;

test('an image has validators, ranges and a name, and HEAD fills the cache', async () => {
  await using server = await ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_CACHE_USE: 'memory',
    IMGPROXY_CACHE_REPORT_ERRORS: 'true',
  });
  const asked = request(server.url, { path: PATH, method: 'HEAD', agent: false });
  asked.end();
  const [head] = await once(asked, 'response');
  expect((await head.toArray()).length).toBe(0);
  const whole = await server.get(PATH);
  const tag = whole.headers.etag ?? '';

  expect(head.headers['cache-status']).toBe('imgproxy-cache; fwd=miss; stored');
  expect([head.headers.etag, head.headers['content-length']]).toEqual([tag, String(whole.body.length)]);
  expect(whole.headers).toMatchObject({
    'cache-status': 'imgproxy-cache; hit',
    etag: expect.stringMatching(/^".+"$/),
    'accept-ranges': 'bytes',
    'content-disposition': expect.stringMatching(/^inline; filename="[^"]+\.webp"/),
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'server-timing': expect.stringMatching(/^lookup;dur=/),
  });
  const notModified = await server.get(PATH, { 'if-none-match': tag });
  expect([notModified.status, notModified.body.length]).toEqual([304, 0]);
  const part = await server.get(PATH, { range: 'bytes=2-5', 'if-range': tag });
  expect([part.status, part.body]).toEqual([206, whole.body.subarray(2, 6)]);
  expect((await server.get(PATH, { range: 'bytes=99999999-' })).status).toBe(416);
});

test('the URL says how a browser stores the image', async () => {
  await using server = await ImageServer.start({ IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER });
  const { headers } = await server.get(PATH.replace('/x/', '/x/fn:my%20name/att:1/'));
  expect(headers['content-disposition']).toMatch(/^attachment; filename="my( |%20)name\.webp"$/);
});
