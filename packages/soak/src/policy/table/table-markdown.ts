import { median, quantile } from '../latencies.js';
import { isDone } from './table-judgements.js';
import type { TableRow } from './table-row.js';

const COLUMNS = [
  'cache',
  'fault',
  'rendering alone p50 / p99, ms',
  'with the fault p50 / p99, ms',
  'look-ups suspended p50 / p99, ms',
  'then more than rendering alone, median, ms',
  'well again after, s',
];

/** The table of faults as Markdown. */
export function tableOf(rows: readonly TableRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => '---')), ...rows.map((row) => line(cellsOf(row)))].join('\n');
}

/** A row for a person who waits. */
export function describeRow(row: TableRow): string {
  return cellsOf(row).join('; ');
}

function cellsOf(row: TableRow): string[] {
  const name = [row.use, row.fault.name];
  if (!isDone(row))
    return [...name, `not made: ${'obstacle' in row.result ? row.result.obstacle : ''}`, '', '', '', ''];
  const { measurement, recovery } = row.result;
  const { suspended, suspendedExcess } = measurement;
  return [
    ...name,
    spread(measurement.baseline),
    spread(measurement.requests),
    suspended.length === 0 ? '' : spread(suspended),
    suspended.length === 0 ? '' : median(suspendedExcess).toFixed(2),
    recovery === undefined ? 'never' : (recovery / 1000).toFixed(1),
  ];
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(1)} / ${quantile(values, 0.99).toFixed(1)}`;
}
