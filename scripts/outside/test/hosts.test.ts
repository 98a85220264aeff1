import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { EmptyFolder, type PackageManager } from '../empty-folder.js';
import { ownPackagesBehind } from '../own-packages.js';
import { emptyBucket } from '../store-environment.js';

const nodes = Object.entries(inject('nodes'));
const missThenHit = 'imgproxy-cache; fwd=miss; stored: a cat\nimgproxy-cache; hit: a cat\n';

const compilerOptions = {
  module: 'nodenext',
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  types: ['node'],
  outDir: 'compiled',
};

describe.each<PackageManager>(['npm', 'pnpm'])('core and s3, installed with %s', (manager) => {
  let host: EmptyFolder;

  beforeAll(async () => {
    host = await EmptyFolder.make();
    await host.install(manager, '@imgproxy-cache/core', '@imgproxy-cache/s3');
    await host.copy('scripts/outside/hosts', '.');
  });

  afterAll(() => host[Symbol.asyncDispose]());

  it('bring no other driver', async () => {
    const expected = await ownPackagesBehind('@imgproxy-cache/core', '@imgproxy-cache/s3');
    expect(await host.installedOwn()).toEqual(expected);
  });

  describe.each(nodes)('on the %s Node.js', (_, node) => {
    it.each(['host.js', 'host.cjs'])('serve %s', async (file) => {
      expect(await host.succeed([node, file], await emptyBucket())).toBe(missThenHit);
    });
  });

  describe('with tools beside them', () => {
    beforeAll(async () => {
      await host.install(manager, 'typescript@7.0.2', '@types/node@22.20.5', 'tsx@4.23.15', 'esbuild@0.28.2');
    });

    it('serve a host in strict TypeScript on every Node.js', async () => {
      await host.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['host.ts'] }));
      await host.succeed(['node_modules/.bin/tsc']);
      for (const [, node] of nodes) {
        expect(await host.succeed([node, 'compiled/host.js'], await emptyBucket())).toBe(missThenHit);
      }
    });

    it('have types for bundlers, too', async () => {
      const settings = { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler', noEmit: true };
      await host.write('tsconfig.json', JSON.stringify({ compilerOptions: settings, files: ['host.ts'] }));
      await host.succeed(['node_modules/.bin/tsc']);
    });

    it('serve a host in TypeScript run through tsx', async () => {
      expect(await host.succeed(['node_modules/.bin/tsx', 'host.ts'], await emptyBucket())).toBe(missThenHit);
    });

    it('serve a host bundled with esbuild, which finds the installed driver', async () => {
      await bundle('host.ts', 'bundle.mjs');
      for (const [, node] of nodes) {
        expect(await host.succeed([node, 'bundle.mjs'], await emptyBucket())).toBe(missThenHit);
      }
    });

    it('fit into one file with esbuild, which runs where nothing is installed', async () => {
      await bundle('bundled-host.js', 'whole.mjs');
      await using elsewhere = await EmptyFolder.make();
      await elsewhere.write('whole.mjs', await host.read('whole.mjs'));
      for (const [, node] of nodes) {
        const status = await elsewhere.succeed([node, 'whole.mjs'], await emptyBucket());
        expect(status).toBe('imgproxy-cache; fwd=miss; stored\n');
      }
    });

    async function bundle(source: string, file: string): Promise<void> {
      // CommonJS inside of an ES module wants a require.
      const banner =
        "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);";
      await host.succeed([
        'node_modules/.bin/esbuild',
        source,
        '--bundle',
        '--platform=node',
        '--format=esm',
        `--banner:js=${banner}`,
        `--outfile=${file}`,
      ]);
    }
  });
});
