import { existsSync, readdirSync } from 'node:fs';
import { pagesElsewhere, repository, titleOf } from './repository.js';

interface SidebarItem {
  readonly text: string;
  readonly link: string;
}

/**
 * A folder's pages for the sidebar.
 * @param first names of those that come first, in this order; the others follow by name
 */
export function pagesIn(folder: string, first: readonly string[] = []): SidebarItem[] {
  const path = `${repository}docs/${folder}`;
  const names = (existsSync(path) ? readdirSync(path) : [])
    .filter((file) => file.endsWith('.md') && !file.startsWith('['))
    .map((file) => file.slice(0, -'.md'.length));
  const ordered = [
    ...first.filter((name) => names.includes(name)),
    ...names.filter((name) => !first.includes(name)),
  ];
  return ordered.map((name) => ({
    text: titleOf(`docs/${folder}/${name}.md`),
    link: `/${folder}/${name === 'README' ? '' : name}`,
  }));
}

/** The pages of a folder of the repository, such as `packages`, for the sidebar. */
export function readmesOf(folder: string): SidebarItem[] {
  return [...pagesElsewhere]
    .filter(([page]) => page.startsWith(`${folder}/`))
    .map(([page, file]) => ({ text: titleOf(file), link: `/${page}` }));
}
