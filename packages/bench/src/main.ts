import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { judge } from './goals.js';
import { measureTable } from './measure.js';
import {
  describeMachine,
  experimentSection,
  type Report,
  type Section,
  tableSection,
  toMarkdown,
} from './report.js';
import { type Experiment, FULL_EFFORT, SMOKE_EFFORT, type Table } from './table.js';
import { TABLES } from './tables/index.js';

const USAGE = `usage: pnpm bench [table...] [--smoke] [--json FILE] [--markdown FILE]
tables: ${TABLES.map(({ name }) => name).join(', ')} (default: all)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const unknownTables = positionals.filter((name) => !TABLES.some((table) => table.name === name));
if (values.help || unknownTables.length > 0) {
  process.stderr.write(`${unknownTables.map((name) => `no table ${name}\n`).join('')}${USAGE}\n`);
  process.exit(values.help ? 0 : 2);
}

const effort = values.smoke ? SMOKE_EFFORT : FULL_EFFORT;
const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const sections: Section[] = [];
for (const table of TABLES) {
  const wanted = positionals.includes(table.name);
  const obstacle = 'run' in table ? undefined : table.obstacle?.();
  if (obstacle !== undefined && (wanted || positionals.length === 0)) {
    progress(`${table.name}: left out: ${obstacle}`);
    if (wanted) process.exit(2);
  } else if (wanted || positionals.length === 0) {
    sections.push(await runTable(table));
  }
}
const report: Report = { date: new Date().toISOString().slice(0, 10), machine: describeMachine(), sections };
process.stdout.write(toMarkdown(report));
if (values.json !== undefined)
  await writeFile(fromCaller(values.json), `${JSON.stringify(report, undefined, 2)}\n`);
if (values.markdown !== undefined) await writeFile(fromCaller(values.markdown), toMarkdown(report));

async function runTable(table: Table | Experiment): Promise<Section> {
  if ('run' in table) {
    progress(table.name);
    return experimentSection(table, await table.run(effort));
  }
  const measurements = await measureTable(
    table,
    values.smoke ? effort : { ...effort, ...table.effort },
    progress,
  );
  return tableSection(table, measurements, judge(table.goals, measurements));
}

/** A path as the caller meant it: pnpm runs this in the package's folder. */
function fromCaller(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? '.', path);
}
