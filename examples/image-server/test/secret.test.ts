import { signPath } from '@imgproxy-cache/url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ImageServer, type RequestHeaders } from './image-server.js';
import { PICTURE_FOLDER, PICTURES, picturePath } from './pictures.js';

const SECRET = 'let me in, äöü';
// A header's characters are bytes to Node.
const AUTHORIZATION = Buffer.from(`Bearer ${SECRET}`).toString('latin1');
const KEY = { keys: [Buffer.from('aa', 'hex')], salts: [Buffer.from('bb', 'hex')] };
const PATH = signPath(picturePath(PICTURES[0] as string, 64, 'webp'), KEY);

let server: ImageServer;

beforeAll(async () => {
  server = await ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_CACHE_USE: 'memory',
    IMGPROXY_SECRET: SECRET,
    IMGPROXY_KEY: 'aa',
    IMGPROXY_SALT: 'bb',
  });
});

afterAll(() => server.stop());

describe('with IMGPROXY_SECRET', () => {
  test.each<[name: string, headers: RequestHeaders]>([
    ['no header', {}],
    ['an empty header', { authorization: '' }],
    ['the scheme alone', { authorization: 'Bearer' }],
    ['the secret alone', { authorization: AUTHORIZATION.slice('Bearer '.length) }],
    ['another scheme', { authorization: AUTHORIZATION.replace('Bearer', 'Basic') }],
    ['another case', { authorization: AUTHORIZATION.replace('Bearer', 'bearer') }],
    ['a part of the secret', { authorization: AUTHORIZATION.slice(0, -1) }],
    ['more than the secret', { authorization: `${AUTHORIZATION}x` }],
    ['another header', { 'x-authorization': AUTHORIZATION }],
  ])('%s is forbidden, for what is stored too', async (_name, headers) => {
    await server.getStored(PATH, { authorization: AUTHORIZATION });
    const { status, body, cacheStatus } = await server.get(PATH, headers);
    expect([status, String(body), cacheStatus]).toEqual([403, 'Forbidden', undefined]);
  });

  test('those who know it get images, if the signature is right', async () => {
    expect((await server.get(PATH, { authorization: AUTHORIZATION })).status).toBe(200);
    const forged = await server.get(`/x${PATH.slice(1)}`, { authorization: AUTHORIZATION });
    expect([forged.status, String(forged.body)]).toEqual([403, 'Forbidden']);
  });

  test('it is asked for before the signature and before anything else of the URL', async () => {
    for (const path of ['/x', '/w:1/plain/local:///a.png', '/x/plain/local:///a.png']) {
      const { status, body } = await server.get(path);
      expect([path, status, String(body)]).toEqual([path, 403, 'Forbidden']);
    }
  });

  test('the health of the server is no secret, and the secret is in no log', async () => {
    expect((await server.get('/health')).status).toBe(200);
    await server.get(PATH);
    await vi.waitFor(() => expect(server.errorOutput).toContain('Invalid secret'));
    expect(server.errorOutput + server.output.join('\n')).not.toContain('let me in');
  });
});

test('a blank IMGPROXY_SECRET asks for nothing', async () => {
  await using open = await ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: PICTURE_FOLDER,
    IMGPROXY_SECRET: ' ',
  });
  expect((await open.get(`/x${picturePath(PICTURES[0] as string, 64, 'webp')}`)).status).toBe(200);
});
