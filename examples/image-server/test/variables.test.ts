import { describe, expect, test } from 'vitest';
import { ImageServer } from './image-server.js';

const SECURITY: readonly (readonly [name: string, value: string])[] = [
  ['IMGPROXY_SANITIZE_SVG', 'true'],
  ['IMGPROXY_MAX_SRC_RESOLUTION', '16.8'],
  ['IMGPROXY_MAX_SRC_FILE_SIZE', '1048576'],
  ['IMGPROXY_MAX_ANIMATION_FRAMES', '1'],
  ['IMGPROXY_MAX_ANIMATION_FRAME_RESOLUTION', '1'],
  ['IMGPROXY_MAX_RESULT_DIMENSION', '1000'],
  ['IMGPROXY_ENV_LOCAL_FILE_PATH', '/etc/imgproxy.env'],
  ['IMGPROXY_ENV_AWS_SECRET_ID', 'imgproxy'],
];
const OTHERS = {
  IMGPROXY_QUALITY: '4711',
  IMGPROXY_CACHE_CONTROL_PASSTHROUGH: 'true',
  IMGPROXY_SECRT: 'hush',
};

describe("imgproxy's variables that this server does not support", () => {
  test('those for security stop the start, all at once and by name', async () => {
    const { code, errorOutput } = await ImageServer.failToStart(Object.fromEntries(SECURITY));
    expect(code).toBe(1);
    for (const [name, value] of SECURITY) {
      expect(errorOutput).toContain(`- ${name} is set and not supported here`);
      if (value.length > 10) expect(errorOutput).not.toContain(value);
    }
  });

  test.each(SECURITY)('%s stops it alone', async (name, value) => {
    expect((await ImageServer.failToStart({ [name]: value })).code).toBe(1);
  });

  test('those for security that ask for nothing are no fault', async () => {
    await using server = await ImageServer.start(
      Object.fromEntries(SECURITY.map(([name], index) => [name, ['false', '0', ' '][index % 3] as string])),
    );
    expect(await warningsOf(server)).toEqual([]);
  });

  test('all others are warned of by name', async () => {
    await using server = await ImageServer.start(OTHERS);
    expect(await warningsOf(server)).toEqual(
      Object.keys(OTHERS)
        .toSorted()
        .map((name) => `${name} is set and not supported here: it changes nothing`),
    );
    expect(server.errorOutput).not.toMatch(/4711|hush/);
  });

  test('none is warned of that the server, the URLs or the cache read', async () => {
    await using server = await ImageServer.start({
      IMGPROXY_TTL: '60',
      IMGPROXY_SECRET: 'hush',
      IMGPROXY_AUTO_WEBP: 'true',
      IMGPROXY_ENFORCE_JXL: 'false',
      IMGPROXY_KEY: 'aa',
      IMGPROXY_SALT: 'bb',
      IMGPROXY_ONLY_PRESETS: 'false',
      IMGPROXY_ALLOWED_SOURCES: 'local:///',
      IMGPROXY_CACHE_USE: 'memory',
      IMGPROXY_CACHE_MEMORY_MAX_SIZE: '1000000',
      IMGPROXY_CACHE_PATH_PREFIX: 'pictures',
    });
    expect(await warningsOf(server)).toEqual([]);
  });
});

/** Once it has ended, all that it has logged is here. */
async function warningsOf(server: ImageServer): Promise<unknown[]> {
  await server.stop();
  return server.log.filter(({ level }) => Number(level) >= 40).map(({ msg }) => msg);
}
