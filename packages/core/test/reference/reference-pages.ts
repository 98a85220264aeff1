import { readFileSync } from 'node:fs';

/** The text of a page of the reference. */
export function referencePage(name: string): string {
  return readFileSync(new URL(`../../../../docs/reference/${name}.md`, import.meta.url), 'utf8');
}

/** The cells of a page's table, without its head: the table whose first column has this title. */
export function tableOf(page: string, title: string): string[][] {
  const lines = page.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${title} |`));
  if (head === -1) throw new Error(`the page has no table of ${title}`);
  const rows = lines.slice(head + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What stands in backquotes. */
export function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => inside);
}
