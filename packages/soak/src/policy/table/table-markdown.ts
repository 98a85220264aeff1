import type { CellFigures } from './cell-figures.js';

const COLUMNS = [
  'fault',
  'wire',
  'hits, %',
  'rendering, ms',
  'without the cache p50 / p99, ms',
  'first byte p50 / p99, ms',
  'whole body p50 / p99, ms',
  'slower by 100 ms, %',
  'in the worst 10 s after the first deadline, %',
  'cut after it, %',
  'failed',
  'well again after, s',
];

/** The table of faults as Markdown. */
export function tableOf(rows: readonly CellFigures[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(COLUMNS), line(COLUMNS.map(() => '---')), ...rows.map((row) => line(cellsOf(row)))].join('\n');
}

/** A row for a person who waits. */
export function describeFigures(row: CellFigures): string {
  return cellsOf(row).join('; ');
}

function cellsOf(row: CellFigures): string[] {
  const percent = (share: number): string => (share * 100).toFixed(share === 0 ? 0 : 1);
  const spread = (middle: number, high: number): string => `${middle.toFixed(1)} / ${high.toFixed(1)}`;
  return [
    row.fault,
    row.wire,
    (row.hits * 100).toFixed(0),
    String(row.rendering),
    spread(row.plainMedian, row.plainP99),
    spread(row.firstMedian, row.firstP99),
    spread(row.wholeMedian, row.wholeP99),
    percent(row.slower),
    percent(row.slowerLater),
    percent(row.cutLater),
    String(row.failed),
    row.recovery === undefined ? 'never' : (row.recovery / 1000).toFixed(1),
  ];
}
