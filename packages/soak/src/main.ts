import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSoak, soakNames } from './known-soaks.js';
import { toMarkdown } from './report.js';
import type { SoakSummary } from './soak.js';

const names = await soakNames();
const USAGE = `usage: pnpm soak [name...] [--seed N] [--operations N] [--brief] [--markdown FILE] [--json FILE]
soaks: ${names.join(', ')} (default: all)`;

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
const seed = wholeNumber('seed', values.seed) ?? Date.now() % 2 ** 31;
const operations = wholeNumber('operations', values.operations);
const unknown = positionals.filter((name) => !names.includes(name));
if (values.help) end(0);
if (unknown.length > 0) end(2, `no soak ${unknown.join(', ')}\n`);

const summaries: SoakSummary[] = [];
for (const name of positionals.length > 0 ? positionals : names) summaries.push(await run(name));
await write(values.markdown, summaries.map(toMarkdown).join(''));
await write(values.json, `${JSON.stringify(summaries, undefined, 2)}\n`);
// A soak that leaves something behind must not keep its own runner waiting.
process.exit(summaries.every(({ passed }) => passed) ? 0 : 1);

async function run(name: string): Promise<SoakSummary> {
  const soak = await loadSoak(name);
  const count = operations ?? (values.brief ? soak.briefOperations : soak.operations);
  const progress = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  progress(`seed ${seed}, ${count} operations`);
  const result = await soak.run({ seed, operations: count, progress });
  const { judgements } = result;
  const passed = judgements.length > 0 && judgements.every(({ holds }) => holds);
  const summary = { name, title: soak.title, seed, operations: count, passed, ...result };
  process.stdout.write(toMarkdown(summary));
  return summary;
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
