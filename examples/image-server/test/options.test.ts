import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, ImageServer } from './image-server.js';
import { TemporaryFolder } from './temporary-folder.js';

const [RED, GREEN, BLUE, WHITE, CLEAR] = [
  [255, 0, 0, 255],
  [0, 255, 0, 255],
  [0, 0, 255, 255],
  [255, 255, 255, 255],
  [0, 0, 0, 0],
];

let folder: TemporaryFolder;
let server: ImageServer;

beforeAll(async () => {
  folder = await TemporaryFolder.create();
  const square = (background: string) => ({
    create: { width: 50, height: 50, channels: 3 as const, background },
  });
  // Red, green; blue, white: 100 x 100.
  const quarters = await sharp({ create: { width: 100, height: 100, channels: 3, background: '#ffffff' } })
    .composite([
      { input: square('#ff0000'), left: 0, top: 0 },
      { input: square('#00ff00'), left: 50, top: 0 },
      { input: square('#0000ff'), left: 0, top: 50 },
    ])
    .png()
    .toBuffer();
  await writeFile(folder.join('quarters.png'), quarters);
  await writeFile(
    folder.join('framed.png'),
    await sharp(quarters)
      .extend({ top: 10, bottom: 30, left: 20, right: 20, background: '#888888' })
      .png()
      .toBuffer(),
  );
  const turned = sharp(quarters).withMetadata({ orientation: 6 });
  await writeFile(folder.join('turned.jpg'), await turned.jpeg({ quality: 100 }).toBuffer());
  server = await ImageServer.start({
    IMGPROXY_LOCAL_FILESYSTEM_ROOT: folder.path,
    IMGPROXY_ALLOW_SECURITY_OPTIONS: 'true',
    IMGPROXY_PRESETS: 'left=c:50:100:we,default=q:90',
  });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

// The corners are the top left, top right, bottom left and bottom right pixel.
describe('what a picture shows', () => {
  test.each([
    ['w:0', 100, 100, [RED, GREEN, BLUE, WHITE]],
    ['rot:90', 100, 100, [BLUE, RED, WHITE, GREEN]],
    ['rot:-90', 100, 100, [GREEN, WHITE, RED, BLUE]],
    ['fl:1', 100, 100, [GREEN, RED, WHITE, BLUE]],
    ['fl:0:1', 100, 100, [BLUE, WHITE, RED, GREEN]],
    ['rot:90/fl:1', 100, 100, [RED, BLUE, GREEN, WHITE]],
    ['c:50:50:nowe', 50, 50, [RED, RED, RED, RED]],
    ['c:0.5:0.5:soea', 50, 50, [WHITE, WHITE, WHITE, WHITE]],
    ['c:50:0:ea', 50, 100, [GREEN, GREEN, WHITE, WHITE]],
    ['c:50:50/g:fp:0.1:0.9', 50, 50, [BLUE, BLUE, BLUE, BLUE]],
    ['c:40:40:no:25', 40, 40, [GREEN, GREEN, GREEN, GREEN]],
    ['pr:left', 50, 100, [RED, RED, BLUE, BLUE]],
    ['rs:fill:40:16/g:so', 40, 16, [BLUE, WHITE, BLUE, WHITE]],
    ['rs:fill:16:40/g:we', 16, 40, [RED, RED, BLUE, BLUE]],
    ['rs:fit:120:140:0:1', 120, 140, [CLEAR, CLEAR, CLEAR, CLEAR]],
    ['w:100/h:200/ex:1:no', 100, 200, [RED, GREEN, CLEAR, CLEAR]],
    ['w:100/h:50/exar:1:we', 100, 50, [RED, CLEAR, BLUE, CLEAR]],
    ['pd:10:20/bg:00ff00', 140, 120, [GREEN, GREEN, GREEN, GREEN]],
    ['pd:0:0:0:5', 105, 100, [CLEAR, GREEN, CLEAR, WHITE]],
    ['w:50/z:2', 100, 100, [RED, GREEN, BLUE, WHITE]],
    ['w:10/mw:40', 10, 40, undefined],
    ['rs:fill:10:10/mh:60', 10, 10, undefined],
  ] as const)('%s', async (options, width, height, corners) => {
    const answer = await render(`/x/${options}/plain/local:///quarters.png@png`);
    const metadata = await sharp(answer.body).metadata();
    expect([metadata.width, metadata.height]).toEqual([width, height]);
    if (corners !== undefined) expect(await cornersOf(answer)).toEqual(corners);
  });

  test('pixelate makes squares of one colour each', async () => {
    const { body } = await render('/x/pix:40/plain/local:///quarters.png@png');
    const { channels } = await sharp(
      await sharp(body).extract({ left: 42, top: 42, width: 16, height: 16 }).toBuffer(),
    ).stats();
    expect(channels.map(({ min, max }) => max - min)).toEqual(channels.map(() => 0));
  });

  test('trim cuts the edges away, and width counts for what remains', async () => {
    const answer = await render('/x/t:10/w:50/plain/local:///framed.png@png');
    const { width, height } = await sharp(answer.body).metadata();
    expect([width, height]).toEqual([50, 50]);
  });

  test('without auto_rotate the stored pixels are the picture', async () => {
    const first = async (options: string) =>
      (await cornersOf(await render(`/x/${options}/plain/local:///turned.jpg@png`)))[0]?.map((value) =>
        Math.round(value / 255),
      );
    expect(await first('ar:0')).toEqual([1, 0, 0, 1]);
    expect(await first('ar:1')).toEqual([0, 0, 1, 1]);
  });

  test('blur and sharpen change the picture', async () => {
    const plain = await render('/x/w:0/plain/local:///quarters.png@png');
    for (const options of ['bl:3', 'sh:2']) {
      const changed = await render(`/x/${options}/plain/local:///quarters.png@png`);
      expect(changed.body.equals(plain.body), options).toBe(false);
      expect((await sharp(changed.body).metadata()).width).toBe(100);
    }
  });
});

test('raw and skip_processing serve the source as it is', async () => {
  const source = await render('/x/raw:1/plain/local:///turned.jpg');
  const skipped = await render('/x/skp:jpg/w:10/plain/local:///turned.jpg');
  const processed = await render('/x/skp:png/w:10/plain/local:///turned.jpg');
  expect(skipped.body.equals(source.body)).toBe(true);
  expect(source.headers['content-type']).toBe('image/jpeg');
  expect((await sharp(source.body).metadata()).orientation).toBe(6);
  expect((await sharp(processed.body).metadata()).width).toBe(10);
});

test('metadata are kept where the URL says so', async () => {
  const kept = await render('/x/sm:0/ar:0/w:20/plain/local:///turned.jpg');
  const stripped = await render('/x/w:20/plain/local:///turned.jpg');
  expect((await sharp(kept.body).metadata()).orientation).toBe(6);
  expect((await sharp(stripped.body).metadata()).orientation).toBeUndefined();
});

test('format_quality counts where there is no quality', async () => {
  const bytes = async (options: string) =>
    (await render(`/x/${options}/bl:1/plain/local:///framed.png@jpeg`)).body.length;
  expect(await bytes('q:0/fq:jpeg:10')).toBeLessThan(await bytes('q:0'));
  expect(await bytes('q:90/fq:jpeg:10')).toBe(await bytes('q:90'));
});

test.each(['msr:0.001', 'msfs:10'])('%s limits the source', async (option) => {
  expect((await server.get(`/x/${option}/plain/local:///quarters.png`)).status).toBe(422);
});

async function render(path: string): Promise<Answer> {
  const answer = await server.get(path);
  expect([path, answer.status, answer.status === 200 ? '' : String(answer.body)]).toEqual([path, 200, '']);
  return answer;
}

async function cornersOf(answer: Answer): Promise<number[][]> {
  const { data, info } = await sharp(answer.body).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixel = (left: number, top: number): number[] => {
    const at = (top * info.width + left) * 4;
    return [...data.subarray(at, at + 4)];
  };
  const [right, bottom] = [info.width - 1, info.height - 1];
  return [pixel(0, 0), pixel(right, 0), pixel(0, bottom), pixel(right, bottom)];
}
