import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { folderWith } from './installed-packages.js';

const CORE = new URL('../../dist/index.js', import.meta.url).href;
const DRIVER = new URL('../../dist/driver/index.js', import.meta.url).href;

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

// A store whose operations never settle, and hold nothing that would keep the process alive.
const SILENT = `
  const silent = () => new Promise(() => {});
  const driver = {
    get: silent, put: silent, delete: silent, check: silent,
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: silent }) }),
    close: async () => {},
  };
  const silentDriver = defineCacheDriver({
    name: 'silent', contract: 1, config: {}, capabilities: { shared: true }, create: () => driver,
  });`;

const ENV = {
  IMGPROXY_CACHE_USE: 'silent',
  IMGPROXY_CACHE_LOOKUP_TIMEOUT_SECONDS: '0.2',
  IMGPROXY_CACHE_STORE_TIMEOUT_SECONDS: '0.4',
  IMGPROXY_CACHE_COLLAPSE_TIMEOUT_SECONDS: '0.3',
};

/** Runs a program on the silent store, as a module or as CommonJS, to its end by itself. */
async function run(
  kind: 'mjs' | 'cjs',
  body: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const folder = await folderWith({});
  const file = join(folder, `host.${kind}`);
  const program = `${SILENT}\n${body}`;
  await writeFile(
    file,
    kind === 'mjs'
      ? `import { createImageCache } from ${JSON.stringify(CORE)};
         import { defineCacheDriver } from ${JSON.stringify(DRIVER)};
         ${program}`
      : `(async () => {
           const { createImageCache } = await import(${JSON.stringify(CORE)});
           const { defineCacheDriver } = await import(${JSON.stringify(DRIVER)});
           ${program}
         })();`,
  );
  return promisify(execFile)(process.execPath, [file], {
    env: { PATH: process.env['PATH'] ?? '', ...ENV, ...env },
  });
}

const RENDER = "() => ({ body: Uint8Array.of(1), contentType: 'image/png' })";

describe.each(['mjs', 'cjs'] as const)('a host (%s) whose store never answers', (kind) => {
  it('starts, says so once, serves, and ends once it is closed', async () => {
    const { stdout, stderr } = await run(
      kind,
      `const cache = await createImageCache({ drivers: [silentDriver] });
       console.log(cache.health().status);
       const { status, image } = await cache.fetch({ source: 'a.jpg' }, ${RENDER});
       console.log(String(status), (await image.bytes()).length);
       await cache.close();
       console.log('closed');`,
    );
    expect(stdout.split('\n')).toEqual([
      'degraded',
      'imgproxy-cache; fwd=miss; detail=ERR_CACHE_TIMEOUT 1',
      'closed',
      '',
    ]);
    const said = stderr.split('\n').filter((line) => line.includes('check'));
    expect(said).toEqual([
      expect.stringContaining('the check takes longer than 0.2 seconds; it goes on in the background'),
    ]);
  });

  it.each([
    [
      'ready',
      `await createImageCache({ drivers: [silentDriver], env: { ...process.env, IMGPROXY_CACHE_REPORT_ERRORS: 'true' } })`,
    ],
    ['delete', `await (await createImageCache({ drivers: [silentDriver] })).delete({ source: 'a.jpg' })`],
    ['purgeSource', `await (await createImageCache({ drivers: [silentDriver] })).purgeSource('a.jpg')`],
  ])('awaits the end of %s, whatever else keeps the process alive', async (_operation, awaited) => {
    const { stdout } = await run(
      kind,
      `try { ${awaited}; console.log('settled'); } catch (error) { console.log(error.code); }`,
    );
    expect(stdout).toBe('ERR_CACHE_TIMEOUT\n');
  });

  it('awaits what another request renders', async () => {
    const { stdout } = await run(
      kind,
      `const cache = await createImageCache({ drivers: [silentDriver] });
       cache.fetch({ source: 'a.jpg' }, silent).catch(() => {});
       const { status } = await cache.fetch({ source: 'a.jpg' }, ${RENDER});
       console.log(String(status));`,
    );
    expect(stdout).toMatch(/^imgproxy-cache; fwd=miss/);
  });
});
