import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Judgement, Outcome, SoakResult } from './soak.js';
import { SOAKS } from './soaks.js';

const USAGE = `usage: pnpm soak [name...] [--seed N] [--operations N] [--brief] [--markdown FILE] [--json FILE]
soaks: ${Object.keys(SOAKS).join(', ')} (default: all)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    operations: { type: 'string' },
    brief: { type: 'boolean', default: false },
    markdown: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) end(0);
const seed = wholeNumber('seed', values.seed) ?? Date.now() % 2 ** 31;
const operations = wholeNumber('operations', values.operations);
const wanted = (positionals.length > 0 ? positionals : Object.keys(SOAKS)).map((name) => {
  const soak = SOAKS[name];
  return soak === undefined ? end(2, `no soak ${name}\n`) : { ...soak, name };
});

const summaries = [];
let markdown = '';
for (const { name, title, run, ...counts } of wanted) {
  const count = operations ?? (values.brief ? counts.briefOperations : counts.operations);
  const progress = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  progress(`seed ${seed}, ${count} operations`);
  const result = await run({ seed, operations: count, progress });
  const passed = result.judgements.length > 0 && result.judgements.every(({ holds }) => holds);
  const facts = `Seed ${seed}, ${count} operations, Node.js ${process.versions.node}.`;
  const text = `## ${name}: ${passed ? 'passed' : 'FAILED'}\n\n${title} ${facts}\n\n${toMarkdown(result)}\n\n`;
  process.stdout.write(text);
  markdown += text;
  summaries.push({ name, title, seed, operations: count, passed, ...result });
}
await write(values.markdown, markdown);
await write(values.json, `${JSON.stringify(summaries, undefined, 2)}\n`);
// A soak that leaves something behind must not keep this process alive.
process.exit(summaries.every(({ passed }) => passed) ? 0 : 1);

/** Markdown that reads well on a terminal too. */
function toMarkdown({ outcomes, judgements, appendix }: SoakResult): string {
  const outcome = ({ operation, outcome, count }: Outcome): string[] => [operation, outcome, String(count)];
  const judgement = ({ name, holds, figures }: Judgement): string[] => [
    name,
    holds ? 'holds' : 'FAILS',
    figures,
  ];
  return [
    table(['operation', 'outcome', 'count'], outcomes.map(outcome)),
    table(['judgement', '', 'figures'], judgements.map(judgement)),
    ...(appendix === undefined ? [] : [appendix]),
  ].join('\n\n');
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

async function write(file: string | undefined, text: string): Promise<void> {
  // A path as the caller meant it: pnpm runs this in the package's folder.
  if (file !== undefined) await writeFile(resolve(process.env['INIT_CWD'] ?? '.', file), text);
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) end(2, `--${option} takes a whole number, not ${text}\n`);
  return value;
}

function end(status: number, problem = ''): never {
  process.stderr.write(`${problem}${USAGE}\n`);
  process.exit(status);
}
