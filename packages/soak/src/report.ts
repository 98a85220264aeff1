import type { SoakSummary } from './soak.js';

/** A summary as Markdown, which reads well on a terminal too. */
export function toMarkdown(summary: SoakSummary): string {
  const { name, title, seed, operations, passed, outcomes, judgements, appendix } = summary;
  return [
    `## ${name}: ${passed ? 'passed' : 'FAILED'}`,
    '',
    `${title} Seed ${seed}, ${operations} operations, Node.js ${process.versions.node}.`,
    '',
    ...table(
      ['operation', 'outcome', 'count'],
      outcomes.map(({ operation, outcome, count }) => [operation, outcome, String(count)]),
    ),
    '',
    ...table(
      ['judgement', '', 'figures'],
      judgements.map((judgement) => [judgement.name, judgement.holds ? 'holds' : 'FAILS', judgement.figures]),
    ),
    '',
    ...(appendix === undefined ? [] : [appendix, '']),
    '',
  ].join('\n');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return [line(columns), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)];
}
