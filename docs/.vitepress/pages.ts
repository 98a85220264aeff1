import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
    text: name === 'README' ? 'Overview' : titleOf(`docs/${folder}/${name}.md`),
    link: `/${folder}/${name === 'README' ? '' : name}`,
  }));
}

/** The pages of a folder of the repository, such as `packages`, for the sidebar. */
export function readmesOf(folder: string): SidebarItem[] {
  return [...pagesElsewhere]
    .filter(([page]) => page.startsWith(`${folder}/`))
    .map(([page, file]) => ({ text: titleOf(file), link: `/${page}` }));
}

/** The modules of the API, named as hosts import them. */
export function apiModules(): SidebarItem[] {
  const folder = `${repository}docs/api/`;
  return readdirSync(folder).map((file) => {
    const [, text = ''] = /@module (\S+)/.exec(readFileSync(folder + file, 'utf8')) ?? [];
    return { text, link: `/reference/api/${text}/` };
  });
}
