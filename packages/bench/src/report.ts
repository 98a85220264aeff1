import os from 'node:os';
import type { JudgedGoal } from './goals.js';
import type { Measurement, Spread } from './measure.js';
import type { ExperimentResult, Table } from './table.js';
import { NODE_VERSION } from './versions.js';

/** One table or experiment as it is printed and kept. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly operation: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly settings: readonly string[];
  readonly goals: readonly { readonly text: string; readonly met: boolean }[];
}

/** Everything of one run. */
export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly sections: readonly Section[];
}

interface Column {
  readonly title: string;
  cell(row: Measurement): string | number;
}

const SUBJECT: readonly Column[] = [
  { title: 'contestant', cell: ({ contestant }) => contestant },
  { title: 'bytes', cell: ({ bytes }) => bytes },
  { title: 'in flight', cell: ({ inFlight }) => inFlight },
  { title: 'operations/s (min-max)', cell: (row) => spreadText(row.operationsPerSecond, 0) },
];
const LATENCIES: readonly Column[] = [
  { title: 'p50 us', cell: (row) => row.p50Microseconds.toFixed(1) },
  { title: 'p99 us', cell: (row) => row.p99Microseconds.toFixed(1) },
];
/** Of operations in this process. */
const LOCAL_COLUMNS: readonly Column[] = [
  ...SUBJECT,
  { title: 'us CPU (min-max)', cell: (row) => spreadText(row.cpuMicroseconds, 2) },
  ...LATENCIES,
  { title: 'bytes held', cell: (row) => Math.round(row.heldBytes) },
];
/** Of operations on a store, which has a CPU of its own. */
const STORE_COLUMNS: readonly Column[] = [
  ...SUBJECT,
  { title: 'operations/CPU s (min-max)', cell: (row) => spreadText(row.operationsPerCpuSecond, 0) },
  ...LATENCIES,
  { title: 'requests', cell: ({ wireRequests }) => wireRequests?.toFixed(2) ?? 'unknown' },
];

export function describeMachine(): string {
  const [cpu] = os.cpus();
  return `${NODE_VERSION}, ${os.type()} ${os.arch()}, ${os.cpus().length} x ${cpu?.model.trim() ?? 'unknown CPU'}`;
}

export function tableSection(
  { name, title, operation, store = false }: Table,
  measurements: readonly Measurement[],
  goals: readonly JudgedGoal[],
): Section {
  const columns = store ? STORE_COLUMNS : LOCAL_COLUMNS;
  return {
    name,
    title,
    operation,
    columns: columns.map((column) => column.title),
    rows: measurements.map((row) => columns.map(({ cell }) => cell(row))),
    settings: [...new Set(measurements.map((row) => `${row.contestant}: ${row.version}; ${row.settings}`))],
    goals: goals.map(({ text, measured, met }) => ({ text: `${text}: ${spreadText(measured, 2)}`, met })),
  };
}

export function experimentSection(
  { name, title, operation }: Pick<Section, 'name' | 'title' | 'operation'>,
  { columns, rows, goals }: ExperimentResult,
): Section {
  return { name, title, operation, columns, rows, settings: [], goals };
}

/** A report as Markdown, which reads well on a terminal too. */
export function toMarkdown({ date, machine, sections }: Report): string {
  const parts = sections.map(({ title, operation, columns, rows, settings, goals }) =>
    [
      `## ${title}`,
      '',
      operation,
      '',
      ...table(columns, rows),
      ...(settings.length === 0 ? [] : ['', ...settings.map((line) => `- ${line}`)]),
      ...(goals.length === 0
        ? []
        : ['', ...goals.map(({ text, met }) => `- ${met ? 'met' : 'MISSED'}: ${text}`)]),
    ].join('\n'),
  );
  return `${[`${date}, ${machine}. Medians over the rounds, with the least and the greatest.`, ...parts].join('\n\n')}\n`;
}

function table(columns: readonly string[], rows: Section['rows']): string[] {
  const cells = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)];
}

function spreadText({ min, median, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}
