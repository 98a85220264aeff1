import { Findings } from '../../findings.js';
import type { Judgement, Outcome } from '../../soak.js';
import { answersOf, cutLater, type Share, slowerLater } from './cell-figures.js';
import { type CellResult, describeCell, type TableSettings } from './table-cell.js';

/**
 * How long after a fault's end all must be well, in milliseconds: past the longest pause of a breaker, 10 s, and the 30 s
 * for which an entry that could not be read is rendered anew.
 */
const RECOVERY = 45_000;

export function judgeCells(cells: readonly CellResult[], settings: TableSettings): Judgement[] {
  const judge = (name: string, problemsOf: (cell: CellResult) => readonly string[]): Judgement => {
    const findings = new Findings();
    for (const cell of cells) {
      findings.add(...problemsOf(cell).map((problem) => `${describeCell(cell)}: ${problem}`));
    }
    return findings.judge(name, figures);
  };
  const requests = cells.reduce((sum, { pairs }) => sum + pairs.length, 0);
  const figures = `${requests} requests in ${cells.length} cells`;
  return [
    judge('every request is answered', unanswered),
    judge('no wrong image is served', (cell) => answersOf(cell).flatMap(({ problem }) => problem ?? [])),
    judge('a store in trouble makes at most 1 % slower by 100 ms', (cell) =>
      tooMany(slowerLater(cell, settings), 'slower'),
    ),
    judge('a store in trouble cuts at most 1 % of the answers', (cell) =>
      tooMany(cutLater(cell, settings), 'cut'),
    ),
    judge('it recovers by itself', doesNotRecover),
    judge('a closed cache is busy with nothing', isBusy),
  ];
}

/** How often which status was answered under each fault. */
export function outcomesOf(cells: readonly CellResult[]): Outcome[] {
  const counts = new Map<string, Outcome>();
  for (const { fault, pairs } of cells) {
    for (const { cached } of pairs) {
      const outcome = cached.end === 'whole' ? cached.status : cached.end;
      const key = `${fault.name}, ${outcome}`;
      const count = (counts.get(key)?.count ?? 0) + 1;
      counts.set(key, { operation: fault.name, outcome, count });
    }
  }
  return [...counts.values()];
}

function unanswered({ pairs }: CellResult): string[] {
  if (pairs.length === 0) return ['the host has not started'];
  return pairs.flatMap(({ cached, at }) =>
    cached.end === 'failed' ? [`after ${Math.round(at)} ms: ${cached.status.slice(0, 200)}`] : [],
  );
}

function tooMany({ count, of, allowed }: Share, what: string): string[] {
  return count > allowed ? [`${count} of ${of} were ${what}, and ${allowed} may be`] : [];
}

function doesNotRecover({ recovery }: CellResult): string[] {
  if (recovery === undefined) return ['not while it was waited for'];
  return recovery <= RECOVERY ? [] : [`after ${(recovery / 1000).toFixed(1)} s`];
}

function isBusy({ left }: CellResult): string[] {
  if (left === undefined) return ['the host has died'];
  const { flights, stores, bytes } = left;
  return flights + stores + bytes === 0 ? [] : [`${flights} flights, ${stores} stores, ${bytes} bytes`];
}
