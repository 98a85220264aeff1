import { Findings } from '../../findings.js';
import type { Judgement, Outcome } from '../../soak.js';
import { median, quantile, slowestOfEqual } from '../latencies.js';
import type { RowResult, TableRow, TableSettings } from './table-row.js';

/** What a request may take longer whose look-up is suspended, in milliseconds. */
const SUSPENDED_COSTS = 2;
/** Share of the look-up deadline by which the slowest requests may be late for the machine's own reasons. */
const TOLERANCE = 0.25;
/** How long after a fault's end all must be well, in milliseconds. */
const RECOVERY = 30_000;

/** A row whose fault could be made. */
type DoneRow = TableRow & { readonly result: RowResult };

export function judgeRows(rows: readonly TableRow[], settings: TableSettings): Judgement[] {
  const done = rows.filter(isDone);
  const count = (figure: (result: RowResult) => number): number =>
    done.reduce((sum, { result }) => sum + figure(result), 0);
  const requests = count(({ measurement }) => measurement.requests.length);
  const suspended = count(({ measurement }) => measurement.suspended.length);
  const judge = (
    name: string,
    figures: string,
    problemsOf: (row: DoneRow) => readonly string[],
  ): Judgement => {
    const findings = new Findings();
    if (done.length === 0) findings.add('no fault could be made');
    for (const row of done) {
      findings.add(...problemsOf(row).map((problem) => `${row.use}, ${row.fault.name}: ${problem}`));
    }
    return findings.judge(name, figures);
  };
  const notMade = rows.length - done.length;
  const all = `${requests} requests under ${done.length} faults${notMade > 0 ? `, ${notMade} not made` : ''}`;
  return [
    judge('every request is answered', all, ({ result }) => result.measurement.unanswered),
    judge('no wrong image is served', all, ({ result }) => result.measurement.wrong),
    judge('a fault costs at most the look-up deadline', all, (row) => tooSlow(row, settings)),
    judge(
      'a suspended look-up costs nothing',
      `${suspended} requests, at most ${SUSPENDED_COSTS} ms more`,
      (row) => tooSlowWhenSuspended(row, settings),
    ),
    judge(
      'a store that fails is suspended',
      `${done.filter(({ fault }) => fault.opens).length} faults`,
      isNeverSuspended,
    ),
    judge('it recovers by itself', `at most ${slowestRecovery(done)} s of 30`, doesNotRecover),
    judge('a closed cache is busy with nothing', `${done.length} caches`, isBusy),
  ];
}

/** How often which status was answered, in each cache. */
export function outcomesOf(rows: readonly TableRow[]): Outcome[] {
  const counts = new Map<string, Outcome>();
  for (const { use, result } of rows.filter(isDone)) {
    for (const [outcome, count] of Object.entries(result.measurement.outcomes)) {
      const identity = `${use}, ${outcome}`;
      const before = counts.get(identity)?.count ?? 0;
      counts.set(identity, { operation: `${use} under faults`, outcome, count: before + count });
    }
  }
  return [...counts.values()];
}

export function isDone(row: TableRow): row is DoneRow {
  return !('obstacle' in row.result);
}

function tooSlow({ result: { measurement } }: DoneRow, { deadline }: TableSettings): string[] {
  const slowest = quantile(measurement.requests, 0.99);
  const allowed = slowestOfEqual(measurement.bound) + deadline * TOLERANCE;
  if (slowest <= allowed) return [];
  return [`99 % took up to ${slowest.toFixed(1)} ms, and ${allowed.toFixed(1)} ms are allowed`];
}

function tooSlowWhenSuspended({ result: { measurement } }: DoneRow, { deadline }: TableSettings): string[] {
  const { suspended, suspendedExcess, baseline } = measurement;
  if (suspended.length === 0) return [];
  const excess = median(suspendedExcess);
  const slowest = quantile(suspended, 0.99);
  const allowed = slowestOfEqual(baseline) + SUSPENDED_COSTS + deadline * TOLERANCE;
  return [
    ...(excess > SUSPENDED_COSTS
      ? [`requests took ${excess.toFixed(1)} ms longer than rendering alone`]
      : []),
    ...(slowest > allowed
      ? [`99 % took up to ${slowest.toFixed(1)} ms, and ${allowed.toFixed(1)} ms are allowed`]
      : []),
  ];
}

function isNeverSuspended({ fault, result: { measurement } }: DoneRow): string[] {
  return fault.opens && !measurement.opened ? ['neither look-ups nor stores were suspended'] : [];
}

function doesNotRecover({ result: { recovery } }: DoneRow): string[] {
  if (recovery === undefined) return ['not while it was waited for'];
  return recovery <= RECOVERY ? [] : [`after ${(recovery / 1000).toFixed(1)} s`];
}

function isBusy({ result: { left } }: DoneRow): string[] {
  const { flights, stores, bytes } = left;
  return flights + stores + bytes === 0 ? [] : [`${flights} flights, ${stores} stores, ${bytes} bytes`];
}

function slowestRecovery(rows: readonly DoneRow[]): string {
  const slowest = Math.max(0, ...rows.map(({ result }) => result.recovery ?? 0));
  return (slowest / 1000).toFixed(1);
}
