import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pagesElsewhere, repository } from './repository.js';

interface ReadmePages {
  /** Files whose change makes the pages anew. */
  readonly watch: string[];
  paths(): { params: { name: string }; content: string }[];
}

/** Makes a page of each README below a folder of the repository. */
export function readmePages(folder: string): ReadmePages {
  const readmes = [...pagesElsewhere].filter(([page]) => page.startsWith(`${folder}/`));
  return {
    watch: readmes.map(([, file]) => repository + file),
    paths: () =>
      readmes.map(([page, file]) => ({
        params: { name: basename(page) },
        content: readFileSync(repository + file, 'utf8'),
      })),
  };
}
