import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { codeBlocksOf, documents, repository } from './documents.js';

const guides = documents.filter(({ path }) =>
  /^docs\/guides\/(?:first-host|hosts[^/]*|frameworks\/[^/]+)\.md$/.test(path),
);
const blocks = guides.flatMap((guide) =>
  codeBlocksOf(guide)
    .filter(({ language }) => language !== 'sh')
    .map((block) => ({ ...block, page: guide.path, file: /^file: (\S+)$/.exec(block.comment)?.[1] ?? '' })),
);
/** Inside the package, where Node.js and TypeScript find what the files import. */
const folder = `${repository}docs/.cache/guide-files/`;
const readersSettings = {
  module: 'nodenext',
  target: 'es2023',
  types: ['node'],
  strict: true,
  noEmit: true,
  allowJs: true,
  checkJs: true,
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
};

test('every block in the guides to hosts is a complete file', () => {
  expect(guides.length).toBeGreaterThan(9);
  expect(blocks.length).toBeGreaterThan(11);
  const incomplete = blocks.filter(
    ({ file, code }) => file === '' || readFileSync(repository + file, 'utf8').trimEnd() !== code.trimEnd(),
  );
  expect(incomplete.map(({ place, comment }) => [place, comment])).toEqual([]);
});

// `pnpm outside` runs the guides to frameworks, whose packages are not installed here.
test('the files compile as a reader copies them', () => {
  const copied = blocks.filter(({ page }) => !page.startsWith('docs/guides/frameworks/'));
  expect(copied.length).toBeGreaterThan(5);
  rmSync(folder, { recursive: true, force: true });
  for (const { page, file, code } of copied) {
    const place = `${folder}${basename(page, '.md')}/`;
    mkdirSync(place, { recursive: true });
    writeFileSync(place + basename(file), code);
  }
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions: readersSettings }));
  expect(compilerErrors()).toBe('');
});

function compilerErrors(): string {
  const compiler = `${repository}node_modules/typescript/bin/tsc`;
  try {
    return execFileSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
    });
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    if (!stdout) throw error;
    return stdout;
  }
}
