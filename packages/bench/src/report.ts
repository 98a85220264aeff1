import os from 'node:os';
import type { JudgedGoal } from './goals.js';
import { type Measurement, type Spread, spreadOf } from './measure.js';
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

const COLUMNS: readonly Column[] = [
  { title: 'contestant', cell: ({ contestant }) => contestant },
  { title: 'bytes', cell: ({ bytes }) => bytes },
  { title: 'in flight', cell: ({ inFlight }) => inFlight },
  { title: 'operations/s (min-max)', cell: (row) => spreadText(spreadOf(row, 'operationsPerSecond'), 0) },
  { title: 'us CPU (min-max)', cell: (row) => spreadText(spreadOf(row, 'cpuMicroseconds'), 2) },
  { title: 'p50 us', cell: ({ p50 = 0 }) => p50.toFixed(1) },
  { title: 'p99 us', cell: ({ p99 = 0 }) => p99.toFixed(1) },
  {
    title: 'collections/1000, young + full',
    cell: (row) =>
      ['youngCollections' as const, 'fullCollections' as const]
        .map((figure) => spreadOf(row, figure).median.toFixed(2))
        .join(' + '),
  },
  { title: 'requests', cell: ({ wireRequests }) => wireRequests?.toFixed(2) ?? '-' },
];

export function describeMachine(): string {
  const [cpu] = os.cpus();
  return `${NODE_VERSION}, ${os.type()} ${os.arch()}, ${os.cpus().length} x ${cpu?.model.trim() ?? 'unknown CPU'}`;
}

export function tableSection(
  { name, title, operation }: Table,
  measurements: readonly Measurement[],
  goals: readonly JudgedGoal[],
): Section {
  const columns = COLUMNS.filter(({ title }) => title !== 'requests' || measurements.some(hasRequests));
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

function hasRequests({ wireRequests }: Measurement): boolean {
  return wireRequests !== undefined;
}

/** A report as Markdown, which reads well on a terminal too. The goals come first. */
export function toMarkdown({ date, machine, sections }: Report): string {
  const goals = sections.flatMap((section) => section.goals);
  const parts = sections.map(({ title, operation, columns, rows, settings }) =>
    [
      `## ${title}`,
      '',
      operation,
      '',
      ...table(columns, rows),
      ...(settings.length === 0 ? [] : ['', ...settings.map((line) => `- ${line}`)]),
    ].join('\n'),
  );
  return `${[
    `${date}, ${machine}. Medians over the rounds, with the least and the greatest; each contestant in a process of its own.`,
    ...(goals.length === 0
      ? []
      : [`## Goals\n\n${goals.map(({ text, met }) => `- ${met ? 'met' : 'MISSED'}: ${text}`).join('\n')}`]),
    ...parts,
  ].join('\n\n')}\n`;
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
