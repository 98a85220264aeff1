import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { driverPackage, folderWith } from './installed-packages.js';

const CORE = new URL('../../dist/index.js', import.meta.url).href;
const HERE = fileURLToPath(new URL('.', import.meta.url));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program as a host's process, to its end by itself. */
function run(program: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: HERE,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
}

describe('a process', () => {
  it('reads its own environment, finds an installed driver and ends by itself, closed or not', async () => {
    const program = (end: string): string => `
      import { createImageCache } from ${JSON.stringify(CORE)};
      const cache = await createImageCache({ resolveFrom: ${JSON.stringify(HERE)} });
      for (let request = 1; request <= 2; request++) {
        const { status } = await cache.fetch({ source: 'https://example.com/cat.jpg' }, () => ({
          body: Uint8Array.of(1),
          contentType: 'image/png',
        }));
        console.log(String(status));
      }
      ${end}`;
    const env = { IMGPROXY_CACHE_USE: 'memory', IMGPROXY_CACHE_REPORT_ERRORS: 'true' };
    const expected = { stdout: 'imgproxy-cache; fwd=miss; stored\nimgproxy-cache; hit\n', stderr: '' };
    expect(await run(program('await cache.close();'), env)).toEqual(expected);
    expect(await run(program(''), env)).toEqual(expected);
  });

  it('logs on standard error, a line each, without what is only for debugging', async () => {
    const folder = await folderWith({ '@imgproxy-cache/foo': driverPackage('foo') });
    const program = `
      import { CACHE, cacheModule } from ${JSON.stringify(CORE)};
      import { Container } from ${JSON.stringify(import.meta.resolve('inversify'))};
      const container = new Container();
      container.load(await cacheModule({ resolveFrom: ${JSON.stringify(folder)} }));
      const logger = container.get(CACHE.Logger);
      container.get(CACHE.ImageCache);
      logger.debug({}, 'for debugging');
      logger.error({ code: 'ERR_CACHE_TIMEOUT', driver: undefined, suppressed: 2, list: ['a'] }, 'late\\r\\nand later');`;
    const { stdout, stderr } = await run(program, {
      IMGPROXY_CACHE_USE: 'foo',
      IMGPROXY_CACHE_FOO_LABEL: 'first line\nsecond line',
      IMGPROXY_CACHE_BUKCET: 'given',
    });
    expect(stdout).toBe('');
    expect(stderr.split('\n')).toEqual([
      'imgproxy-cache warning: IMGPROXY_CACHE_BUKCET is set and means nothing: is IMGPROXY_CACHE_BUCKET meant?',
      'imgproxy-cache info: @imgproxy-cache/foo/index.js first line second line event=created driver=foo',
      "imgproxy-cache error: late and later code=ERR_CACHE_TIMEOUT suppressed=2 list=[ 'a' ]",
      '',
    ]);
  });
});
