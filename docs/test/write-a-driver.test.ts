import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeBlocksOf, documents, repository } from './documents.js';

const driver = 'examples/custom-driver/';
/** What an author writes: the package, its source, and how the contract suite is run on it. */
const files = [
  'package.json',
  'src/*.ts',
  'test/sqlite-subject.ts',
  'test/contract.test.ts',
  'test/contract-under-node-test.ts',
].flatMap((pattern) => globSync(driver + pattern, { cwd: repository }));

const guide = documents.filter(({ path }) => path === 'docs/guides/write-a-driver.md');
const blocks = guide
  .flatMap(codeBlocksOf)
  .filter(({ language }) => language !== 'sh')
  .map(({ comment, code, place }) => ({ file: /^file: (\S+)$/.exec(comment)?.[1], code, place }));

test('every block of the guide is a part of the driver', () => {
  const others = blocks.filter(({ file }) => !file?.startsWith(driver));
  expect(others.map(({ place }) => place)).toEqual([]);
  expect(files.length).toBeGreaterThan(5);
});

test.each(files)('the blocks of the guide, put together, are %s', (path) => {
  const lines = linesOf(readFileSync(repository + path, 'utf8'));
  const shown = lines.map(() => 0);
  for (const { code, place } of blocks.filter(({ file }) => file === path)) {
    const part = linesOf(code);
    const starts = [...lines.keys()].filter((start) =>
      part.every((line, index) => lines[start + index] === line),
    );
    const [start, another] = starts;
    expect([start, another], place).toEqual([expect.any(Number), undefined]);
    for (const index of part.keys()) shown[Number(start) + index] = (shown[Number(start) + index] ?? 0) + 1;
  }
  expect(lines.filter((_, index) => shown[index] !== 1)).toEqual([]);
});

/** Indentation aside, since a block may show the inside of something, and without the blanks between blocks. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
