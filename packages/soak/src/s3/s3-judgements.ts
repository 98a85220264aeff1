import type { Judgement } from '../soak.js';
import { MAX_SOCKETS, type S3Run } from './s3-run.js';

const ATTEMPTS = 3;
// Of a listing of all names, with one to spare.
const PAGES = 8;
const OPERATIONS = ['get', 'put', 'delete', 'list'] as const;

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
const FAILURES = ['ERR_CACHE_UNAVAILABLE', 'ERR_CACHE_CORRUPT', 'ERR_CACHE_ABORTED'];
/** Most operations are aborted before they time out, so that only a long run is sure to see it. */
const RARE_FAILURES = ['ERR_CACHE_TIMEOUT'];
const LONG_RUN = 10_000;

/** The judgements of a run whose drivers are closed. */
export function judge(run: S3Run): Judgement[] {
  const { traffic, driverWatch, cacheWatch, memory } = run;
  const answers = `${driverWatch.judged + cacheWatch.judged} answers of drivers`;
  const operations = `${traffic.issued} operations`;
  const looks = `${memory.count} looks`;
  return [
    traffic.wrongBytes.judge('no wrong byte is delivered as good', `${traffic.delivered} bodies`),
    driverWatch.contradictions.judge('what a driver says of the store is true', answers),
    cacheWatch.contradictions.judge('what the driver of a cache says of the store is true', answers),
    driverWatch.misshapen.judge('a failure has its shape', `${driverWatch.failures} failures`),
    cacheWatch.misshapen.judge('a failure below a cache has its shape', `${cacheWatch.failures} failures`),
    traffic.strangeFailures.judge('a caller sees CacheErrors alone', operations),
    traffic.hung.judge('nothing hangs', operations),
    run.incidents.judge('no rejection is unhandled, and Node.js warns of nothing', 'the whole run'),
    run.listeners.judge('no listener is left on a signal', looks),
    run.unrest.judge(
      'the pool goes back to idle',
      `${looks}, at most ${run.idleConnections} connections of two pools of ${MAX_SOCKETS}`,
    ),
    ...memory.judgeFlatness(),
    judgeEvents(run),
    judgeRequests(run),
    run.relapses.judge('all is well once the store is', `${run.recovered} names read again`),
    judgeVariety(run),
  ];
}

/** Whether every operation that was to be done was begun, ended, and was one call of the driver. */
export function judgeOperations({ traffic, driverWatch }: S3Run, operations: number): Judgement {
  const { issued, outcomes } = traffic;
  const ended = outcomes.outcomes().reduce((sum, { count }) => sum + count, 0);
  const asked = OPERATIONS.reduce((sum, operation) => sum + outcomes.count(operation), 0);
  const called = OPERATIONS.reduce((sum, operation) => sum + driverWatch.calls.count(operation), 0);
  return {
    name: 'operations add up',
    holds: issued === operations && ended === operations && asked === called,
    figures: `${operations} to do, ${issued} issued, ${ended} ended; ${called} calls of ${asked}`,
  };
}

/**
 * Each call of the cache's driver is one event: of the operation, or, for a corrupt entry, `corrupt`. A stream that fails
 * after its first chunk outside a probe is one more, and the cache itself deletes an entry that turns out corrupt.
 */
function judgeEvents({ events, traffic, cacheWatch: { calls } }: S3Run): Judgement {
  const more = calls.count('stream') + calls.count('delete') - traffic.outcomes.count('cache delete');
  const lines: readonly (readonly [subject: string, events: number, calls: number, more: number])[] = [
    ['requests', events.count('request'), traffic.answered, 0],
    ['gets', events.count('get') + events.count('corrupt'), calls.count('get'), more],
    ['puts', events.count('put'), calls.count('put'), 0],
    ['deletes', events.count('delete'), calls.count('delete'), 0],
  ];
  return {
    name: "the cache's events add up",
    holds: lines.every(([, told, done, most]) => told >= done && told <= done + most),
    figures: lines
      .map(([subject, told, done, most]) => `${told} events of ${done} to ${done + most} ${subject}`)
      .join(', '),
  };
}

function judgeRequests({ sent, received, driverWatch, cacheWatch }: S3Run): Judgement {
  const sum = (count: (watch: typeof driverWatch) => number): number =>
    count(driverWatch) + count(cacheWatch);
  const succeeded = sum(({ calls }) =>
    OPERATIONS.reduce((total, operation) => total + calls.count(operation, 'done'), 0),
  );
  // A name that cannot be deleted with others is tried once more by itself.
  const most = sum(({ calls, namesDeleted }) => {
    const single = calls.count('get') + calls.count('put') + calls.count('delete');
    return ATTEMPTS * (single + namesDeleted + PAGES * calls.count('list'));
  });
  const isCounted = sent > 0;
  const isAllowed = isCounted ? received <= sent && sent <= most : received <= most;
  return {
    name: 'requests add up',
    holds: succeeded <= received && isAllowed,
    figures: `${succeeded} successes, ${received} requests received, ${isCounted ? sent : 'unknown'} sent, at most ${most} allowed`,
  };
}

function judgeVariety({ traffic, faults }: S3Run): Judgement {
  const { outcomes } = traffic;
  const seen = new Set(outcomes.outcomes().map(({ outcome }) => outcome));
  const missing = [
    ...VARIETY.flatMap(([operation, ...wanted]) =>
      wanted
        .filter((outcome) => outcomes.count(operation, outcome) === 0)
        .map((outcome) => `${operation}: ${outcome}`),
    ),
    ...[...FAILURES, ...(traffic.issued < LONG_RUN ? [] : RARE_FAILURES)].filter((code) => !seen.has(code)),
  ];
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  const figures =
    missing.length === 0
      ? `${struck} faults of ${Object.keys(faults).length} kinds`
      : `missing: ${missing.join('; ')}`;
  return { name: 'everything came up', holds: missing.length === 0, figures };
}
