import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { codeBlocksOf, documents, repository } from './documents.js';
import { checkTypes } from './type-check.js';

const blocks = documents.flatMap(codeBlocksOf);
const inLanguage = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));
const fileOf = ({ comment }: { readonly comment: string }) => /^file: (\S+)$/.exec(comment)?.[1];

test('code is written in languages that are checked, or in none', () => {
  const known = inLanguage('ts', 'js', 'json', 'sh', '');
  expect(
    blocks.filter((block) => !known.includes(block)).map(({ place, language }) => [place, language]),
  ).toEqual([]);
});

describe('a block of TypeScript or JavaScript', () => {
  const alone = inLanguage('ts', 'js').filter((block) => fileOf(block) === undefined);
  let errors: ReadonlyMap<string, readonly string[]>;
  beforeAll(() => {
    errors = checkTypes(alone);
  }, 120_000);

  test.each(alone)('$place has no type errors', ({ place }) => {
    expect(errors.get(place)).toEqual([]);
  });
});

test('a block that shows a file, or a part of one, says what the file says', () => {
  const differing = blocks.filter((block) => {
    const file = fileOf(block);
    return (
      file !== undefined &&
      !unindented(readFileSync(repository + file, 'utf8')).includes(unindented(block.code))
    );
  });
  expect(differing.map(({ place, comment }) => [place, comment])).toEqual([]);
});

describe('a block of JSON', () => {
  test.each(inLanguage('json'))('$place is JSON', ({ code }) => {
    expect(() => JSON.parse(code)).not.toThrow();
  });
});

/** A block may show the inside of something. */
function unindented(text: string): string {
  return text.replaceAll(/^[ \t]+/gm, '');
}
