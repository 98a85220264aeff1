import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's folder, with a slash at its end. */
export const repository: string = fileURLToPath(new URL('../../', import.meta.url));

/** Pages of the site whose text stands elsewhere in the repository: page without extension -> file. */
export const pagesElsewhere: ReadonlyMap<string, string> = new Map([
  ['changelog', 'CHANGELOG.md'],
  ['contributing', 'CONTRIBUTING.md'],
  ...readmesIn('packages'),
  ...readmesIn('examples'),
]);

/** The first heading of a Markdown file of the repository. */
export function titleOf(file: string): string {
  const [, title] = /^# (.+)$/m.exec(readFileSync(repository + file, 'utf8')) ?? [];
  if (title === undefined) throw new Error(`${file} has no heading`);
  return title.replaceAll('`', '');
}

function readmesIn(folder: string): [page: string, file: string][] {
  return readdirSync(repository + folder)
    .map((name): [string, string] => [`${folder}/${name}`, `${folder}/${name}/README.md`])
    .filter(([, file]) => existsSync(repository + file));
}
