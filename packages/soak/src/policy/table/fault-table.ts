import type { SoakResult } from '../../soak.js';
import { figuresOf } from './cell-figures.js';
import { HOST_FAULTS } from './host-faults.js';
import { type CellResult, runCell, type TableCell, type TableSettings } from './table-cell.js';
import { judgeCells, outcomesOf } from './table-judgements.js';
import { describeFigures, tableOf } from './table-markdown.js';

/** Cells at a time: each waits most of the time. */
const LANES = 3;
const WIRES = ['http', 'https'] as const;
const HITS = [0.1, 0.45, 1];
const RENDERINGS = [4, 300];

/** A cell by what it is made of. */
export type CellName = readonly [fault: string, wire: TableCell['wire'], hits: number, rendering: number];

/** What of the table a short run does: every fault once, and among them all circumstances. */
const BRIEFLY: readonly CellName[] = [
  ['no answer', 'http', 1, 4],
  ['bodies hang', 'https', 1, 4],
  ['bodies hang', 'http', 0.1, 300],
  ['a quarter of the bodies hang', 'http', 0.45, 4],
  ['half of the answers are 503', 'http', 0.45, 4],
  ['bodies over 1 MiB hang after 300 KB', 'http', 1, 4],
  ['slow link (20 KB a second)', 'https', 0.45, 4],
  ['refused', 'http', 1, 300],
  ['reset', 'https', 0.45, 300],
  ['stopped (SIGSTOP)', 'http', 0.1, 4],
  ['absent at start', 'http', 1, 4],
  ['a name with a dead address', 'https', 1, 300],
];

export interface TableOptions {
  readonly seed: number;
  /** Which cells; by default all. */
  readonly cells?: (...name: CellName) => boolean;
  readonly settings: TableSettings;
  progress(text: string): void;
}

/** Whether a short run has a cell. */
export function isBrief(...name: CellName): boolean {
  return BRIEFLY.some((brief) => brief.every((part, index) => part === name[index]));
}

/** What faults of its store cost the clients of a host, and how it comes back. */
export async function runFaultTable({ seed, cells, settings, progress }: TableOptions): Promise<SoakResult> {
  const wanted = allCells().filter(
    ({ fault, wire, hits, rendering }) => cells?.(fault.name, wire, hits, rendering) ?? true,
  );
  const done: CellResult[] = new Array(wanted.length);
  const left = [...wanted.entries()];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, cell] = next;
      const result = await runCell(cell, seed + index, settings);
      done[index] = result;
      progress(describeFigures(figuresOf(result, settings)));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const figures = done.map((cell) => figuresOf(cell, settings));
  return {
    outcomes: outcomesOf(done),
    judgements: judgeCells(done, settings),
    appendix: tableOf(figures),
    figures,
  };
}

function allCells(): TableCell[] {
  return RENDERINGS.flatMap((rendering) =>
    HOST_FAULTS.flatMap((fault) =>
      WIRES.flatMap((wire) => HITS.map((hits) => ({ fault, wire, hits, rendering }))),
    ),
  );
}
