import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, type Document, documents, folderOf, linksOf, repository } from './documents.js';

const external = /^[a-z][a-z0-9+.-]*:/i;

test.each(documents)('the links of $path lead somewhere', (document) => {
  const links = linksOf(document).filter((link) => !external.test(link));
  expect(links.filter((link) => !leadsSomewhere(document, link))).toEqual([]);
});

test.each(documents)('every address in $path is written with https, or is of this machine', (document) => {
  const plain = linksOf(document).filter((link) => external.test(link) && !link.startsWith('https://'));
  expect(plain.filter((link) => !link.startsWith('http://localhost'))).toEqual([]);
});

/** Whether there is a file or folder, and in it the heading. */
function leadsSomewhere(from: Document, link: string): boolean {
  const [target = '', anchor] = link.split('#').map(decodeURIComponent);
  const path = target === '' ? from.path : join(folderOf(from), target);
  if (!existsSync(repository + path)) return false;
  if (anchor === undefined) return true;
  const page = documents.find((document) => document.path === path);
  return page !== undefined && anchorsOf(page).has(anchor);
}
