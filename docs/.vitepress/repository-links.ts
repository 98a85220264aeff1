import { join, posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { pagesElsewhere } from './repository.js';

const external = /^(?:[a-z][a-z0-9+.-]*:|\/|#)/i;
const pageOf = new Map([...pagesElsewhere].map(([page, file]) => [file, `/${page}`]));

/**
 * Links between pages are written as paths in the repository, so that they work in a clone, too. This plugin turns
 * them into paths of the site.
 */
export function repositoryLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    const page = String(env.relativePath);
    for (const token of tokens.flatMap((block) => block.children ?? [])) {
      const attribute = { link_open: 'href', image: 'src' }[token.type];
      const target = attribute && token.attrGet(attribute);
      if (attribute && target && !external.test(target)) token.attrSet(attribute, siteLink(page, target));
    }
  });
}

/** @param page of the site, from its root */
function siteLink(page: string, link: string): string {
  const [path = '', anchor] = link.split('#');
  const target = posix.join(posix.dirname(sourceOf(page)), decodeURIComponent(path)).replace(/\/$/, '');
  return siteAddress(target, `${page} links to ${link}`) + (anchor === undefined ? '' : `#${anchor}`);
}

function siteAddress(file: string, what: string): string {
  const elsewhere = pageOf.get(file) ?? pageOf.get(join(file, 'README.md'));
  if (elsewhere !== undefined) return elsewhere;
  if (file === 'README.md') return '/';
  if (file.startsWith('docs/public/')) return file.slice('docs/public'.length);
  if (file.startsWith('docs/')) return file.slice('docs'.length).replace(/\/README\.md$/, '/');
  throw new Error(`${what}, which is no page of the site`);
}

function sourceOf(page: string): string {
  return pagesElsewhere.get(page.replace(/\.md$/, '')) ?? `docs/${page}`;
}
