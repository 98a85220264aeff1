import { laterThirds, type MemorySample } from '../memory.js';
import type { ProcessIncidents } from '../process-incidents.js';
import type { Judgement } from '../soak.js';
import type { S3Run } from './s3-run.js';
import { MAX_SOCKETS, type TestBed } from './test-bed.js';

/** More than this between the middle and the last third of a run is growth. */
const FLAT = 1.15;
const FEW = 100;
const ATTEMPTS = 3;
// Of a listing of all names, with one to spare.
const PAGES = 8;

/** What must have come up at least once, or the run has proven nothing. */
const VARIETY: readonly (readonly [operation: string, ...outcomes: string[]])[] = [
  ['get', 'miss', 'hit, bytes', 'hit, stream', 'hit, left after the first chunk', 'hit, discarded'],
  ['put', 'stored', 'ERR_CACHE_ABORTED'],
  ['delete', 'deleted', 'ERR_CACHE_ABORTED'],
  ['list', 'listed'],
  ['cache fetch', 'hit, bytes', 'hit, stream', 'rendered, bytes', 'rendered, stream', 'ERR_CACHE_ABORTED'],
  ['cache delete', 'deleted'],
];
/** Failures that must have come up, of whatever operation. */
const FAILURES = ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_TIMEOUT', 'ERR_CACHE_CORRUPT', 'ERR_CACHE_ABORTED'];

/** What is judged when the drivers are closed. */
export function judge(run: S3Run, bed: TestBed, incidents: ProcessIncidents): Judgement[] {
  const { record } = run;
  const { driverWatch, cacheWatch } = bed;
  const judged = `${driverWatch.judged + cacheWatch.judged} answers of drivers`;
  return [
    record.wrongBytes.judge('no wrong byte is delivered as good', `${record.delivered} bodies`),
    driverWatch.contradictions.judge('what a driver says of the store is true', judged),
    cacheWatch.contradictions.judge('what the driver of a cache says of the store is true', judged),
    driverWatch.misshapen.judge('a failure has its shape', `${driverWatch.failures} failures`),
    cacheWatch.misshapen.judge('a failure below a cache has its shape', `${cacheWatch.failures} failures`),
    record.strangeFailures.judge('a caller sees CacheErrors alone', `${record.issued} operations`),
    record.hung.judge('nothing hangs', `${record.issued} operations`),
    incidents.findings.judge('no rejection is unhandled, and Node.js warns of nothing', 'the whole run'),
    run.listeners.judge('no listener is left on a signal', `${run.memory.length} looks`),
    run.unrest.judge(
      'the pool goes back to idle',
      `${run.memory.length} looks, at most ${run.idleConnections} connections of two pools of ${MAX_SOCKETS}`,
    ),
    judgeFlatness(run, 'memory is flat', 'kB', ({ bytes }) => bytes / 1000),
    judgeFlatness(run, 'promises are flat', 'promises', ({ promises }) => promises),
    judgeFlatness(run, 'signals are flat', 'signals', ({ signals }) => signals),
    judgeEvents(run, bed),
    judgeRequests(run, bed),
    run.relapses.judge('all is well once the store is', `${run.recovered} names read again`),
    judgeVariety(run),
  ];
}

function judgeFlatness(
  { memory }: S3Run,
  name: string,
  unit: string,
  figure: (sample: MemorySample) => number,
): Judgement {
  const thirds = laterThirds(memory.map(figure));
  if (thirds === undefined) return { name, holds: false, figures: 'a run has to be longer to tell' };
  const { middle, last } = thirds;
  // Of few things a few more are no growth.
  const ratio = (last + FEW) / (middle + FEW);
  return {
    name,
    holds: ratio < FLAT,
    figures: `last third ${last.toFixed(0)} ${unit}, middle ${middle.toFixed(0)}: ${ratio.toFixed(3)}, below ${FLAT}`,
  };
}

/** Whether every operation that was to be done was begun, ended, and was one call of the driver. */
export function judgeOperations({ record }: S3Run, { driverWatch }: TestBed, operations: number): Judgement {
  const { issued, outcomes } = record;
  const direct = ['get', 'put', 'delete', 'list'];
  const asked = direct.reduce((sum, operation) => sum + outcomes.count(operation), 0);
  const called = direct.reduce((sum, operation) => sum + driverWatch.calls.count(operation), 0);
  return {
    name: 'operations add up',
    holds: issued === operations && outcomes.total === operations && asked === called,
    figures: `${operations} to do, ${issued} issued, ${outcomes.total} outcomes; ${called} calls of ${asked}`,
  };
}

/**
 * Each call of the cache's driver is one event: of the operation, or, of an entry that is not sound, a corrupt one. A
 * stream that fails past its first chunk outside a probe is told besides, and one that turns out corrupt is deleted by the
 * cache itself.
 */
function judgeEvents({ events, cached }: S3Run, { cacheWatch: { calls } }: TestBed): Judgement {
  const gets = calls.count('get');
  const besides = calls.count('stream') + calls.count('delete') - cached.deletions;
  const lines: readonly (readonly [subject: string, events: number, calls: number, besides: number])[] = [
    ['requests', events.requests, cached.answered, 0],
    ['gets', events.operations.count('get') + events.corrupt, gets, besides],
    ['puts', events.operations.count('put'), calls.count('put'), 0],
    ['deletes', events.operations.count('delete'), calls.count('delete'), 0],
  ];
  return {
    name: "the cache's events add up",
    holds: lines.every(([, told, done, more]) => told >= done && told <= done + more),
    figures: lines
      .map(
        ([subject, told, done, more]) =>
          `${told} events of ${done}${more > 0 ? ` to ${done + more}` : ''} ${subject}`,
      )
      .join(', '),
  };
}

function judgeRequests({ wire, received }: S3Run, { driverWatch, cacheWatch }: TestBed): Judgement {
  const watches = [driverWatch, cacheWatch];
  const sum = (count: (watch: (typeof watches)[number]) => number): number =>
    watches.reduce((total, watch) => total + count(watch), 0);
  const succeeded = sum(({ calls }) =>
    ['get', 'put', 'delete', 'list'].reduce((total, operation) => total + calls.count(operation, 'done'), 0),
  );
  // A name that cannot be deleted with others is tried once more by itself.
  const most =
    ATTEMPTS *
    sum(
      ({ calls, namesDeleted }) =>
        calls.count('get') +
        calls.count('put') +
        calls.count('delete') +
        namesDeleted +
        PAGES * calls.count('list'),
    );
  const told = wire.sent > 0;
  return {
    name: 'requests add up',
    holds: succeeded <= received && (told ? received <= wire.sent && wire.sent <= most : received <= most),
    figures: `${succeeded} successes, ${received} requests received, ${told ? wire.sent : 'unknown'} sent, at most ${most} allowed`,
  };
}

function judgeVariety({ record: { outcomes }, faults }: S3Run): Judgement {
  const seen = new Set(outcomes.outcomes().map(({ outcome }) => outcome));
  const lacking = [
    ...VARIETY.flatMap(([operation, ...wanted]) =>
      wanted
        .filter((outcome) => outcomes.count(operation, outcome) === 0)
        .map((outcome) => `${operation}: ${outcome}`),
    ),
    ...FAILURES.filter((code) => !seen.has(code)),
  ];
  const played = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return {
    name: 'everything came up',
    holds: lacking.length === 0,
    figures:
      lacking.length === 0
        ? `${played} faults of ${Object.keys(faults).length} kinds`
        : `lacking: ${lacking.join('; ')}`,
  };
}
