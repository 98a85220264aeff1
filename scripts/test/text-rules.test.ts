import { expect, test } from 'vitest';
import { findingsIn } from '../checks/text-rules.mjs';

const machinePath = ['', 'work', 'cache'].join('/');

test.each([
  ['a path of a machine', 'docs/guide.md', `Keep it in ${machinePath}.`],
  ['a quoted path of a machine', 'packages/a/src/b.ts', `const folder = '${machinePath}';`],
  ['a registry host', 'docs/guide.md', ['https://registry', 'example', 'org'].join('.')],
  ['an unfinished word', 'packages/a/src/b.ts', `// ${'TO'}${'DO'}: mend`],
])('%s is found on its line', (_, path, text) => {
  expect(findingsIn({ path, text: `one\n${text}\nthree\n` })).toEqual([
    { path, line: 2, problem: expect.any(String) },
  ]);
});

test.each(['packages/a/src/utils.ts', 'packages/a/src/helpers/b.ts', 'packages/a/test/common.test.ts'])(
  'the name %s says nothing',
  (path) => {
    expect(findingsIn({ path, text: '' })).toEqual([{ path, problem: expect.any(String) }]);
  },
);

test('a source file has at most 400 lines', () => {
  const path = 'packages/a/src/b.ts';

  expect(findingsIn({ path, text: 'x\n'.repeat(400) })).toEqual([]);
  expect(findingsIn({ path, text: 'x\n'.repeat(401) })).toEqual([
    { path, problem: expect.stringContaining('401') },
  ]);
  expect(findingsIn({ path: 'docs/long.md', text: 'x\n'.repeat(401) })).toEqual([]);
});

test.each([
  ['packages/a/src/library.ts', "const url = 'https://example.org/work/x';"],
  ['docs/guide.md', 'A folder such as /var/cache/images, or ./tmp/x.'],
])('%s may hold: %s', (path, text) => {
  expect(findingsIn({ path, text })).toEqual([]);
});
