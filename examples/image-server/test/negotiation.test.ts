import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageServer } from './image-server.js';
import { TemporaryFolder } from './temporary-folder.js';

const CHROME = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8';
const FIREFOX_64 = 'image/webp,*/*';
const CURL = '*/*';

let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await TemporaryFolder.create();
  const blue = sharp({ create: { width: 40, height: 20, channels: 3, background: '#0000ff' } });
  await writeFile(folder.join('photo.jpg'), await blue.clone().jpeg().toBuffer());
  await writeFile(folder.join('photo.webp'), await blue.clone().webp().toBuffer());
  await writeFile(
    folder.join('drawing.svg'),
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
  );
  const frames = ['#ff0000', '#00ff00'].map((background) =>
    sharp({ create: { width: 6, height: 3, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  const animation = sharp(await Promise.all(frames), { join: { animated: true } });
  await writeFile(folder.join('animation.gif'), await animation.gif().toBuffer());
});

afterAll(() => folder[Symbol.asyncDispose]());

interface Asked {
  readonly source: string;
  readonly accept: string;
  readonly type: string;
  readonly hit?: boolean;
}

async function expectTypes(env: NodeJS.ProcessEnv, asked: readonly Asked[]): Promise<void> {
  await using server = await ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: folder.path,
    IMGPROXY_CACHE_USE: 'memory',
    ...env,
  });
  for (const { source, accept, type, hit = false } of asked) {
    const path = `/x/plain/local:///${source}`;
    const { headers, cacheStatus, body } = await server.get(path, { accept });
    const { format } = await sharp(body).metadata();
    expect([source, accept, headers['content-type'], cacheStatus?.includes('hit')]).toEqual([
      source,
      accept,
      `image/${type}`,
      hit,
    ]);
    expect(format).toBe({ avif: 'heif', 'svg+xml': 'svg' }[type] ?? type);
  }
}

describe('a client gets a format that it accepts, rendered or from the cache', () => {
  test('which is the best of the automatic ones where the URL has none', () =>
    expectTypes({ IMGPROXY_AUTO_WEBP: 'true', IMGPROXY_AUTO_AVIF: '1' }, [
      { source: 'photo.jpg', accept: CHROME, type: 'avif' },
      { source: 'photo.jpg', accept: FIREFOX_64, type: 'webp' },
      { source: 'photo.jpg', accept: CURL, type: 'jpeg' },
      { source: 'photo.jpg', accept: CHROME, type: 'avif', hit: true },
      { source: 'photo.jpg', accept: FIREFOX_64, type: 'webp', hit: true },
      { source: 'photo.jpg', accept: 'text/html', type: 'jpeg', hit: true },
      { source: 'photo.jpg@png', accept: CHROME, type: 'png' },
      { source: 'photo.jpg@png', accept: CURL, type: 'png', hit: true },
      { source: 'animation.gif', accept: CHROME, type: 'webp' },
      { source: 'animation.gif', accept: CURL, type: 'gif' },
      { source: 'drawing.svg', accept: CHROME, type: 'svg+xml' },
    ]));

  test('which is the best of the enforced ones whatever the URL has', () =>
    expectTypes({ IMGPROXY_ENFORCE_WEBP: 'true' }, [
      { source: 'photo.jpg@png', accept: CHROME, type: 'webp' },
      { source: 'photo.jpg@png', accept: CURL, type: 'png' },
      { source: 'photo.jpg@png', accept: FIREFOX_64, type: 'webp', hit: true },
      { source: 'photo.jpg', accept: CHROME, type: 'webp' },
    ]));

  test("which is the source's own where nothing is negotiated", () =>
    expectTypes({}, [
      { source: 'photo.jpg', accept: CHROME, type: 'jpeg' },
      { source: 'photo.jpg', accept: CURL, type: 'jpeg', hit: true },
      { source: 'photo.webp', accept: CURL, type: 'webp' },
    ]));
});

test('what the server cannot write, or does not understand, stops its start', async () => {
  const { code, errorOutput } = await ImageServer.failToStart({
    IMGPROXY_AUTO_JXL: 'true',
    IMGPROXY_ENFORCE_JXL: 'true',
    IMGPROXY_AUTO_WEBP: 'yes',
  });
  expect(code).toBe(1);
  expect(errorOutput.split('\n').slice(1)).toEqual([
    '- IMGPROXY_AUTO_WEBP is "yes", allowed is true (1, t, T, TRUE, True) or false (0, f, F, FALSE, False)',
    '- IMGPROXY_AUTO_JXL is true: this server cannot write JPEG XL',
    '- IMGPROXY_ENFORCE_JXL is true: this server cannot write JPEG XL',
  ]);
});
