import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const TRANSIENT = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq', 'GetAddrInfoReqWrap']);
const OPEN_FILES = 'open file or socket';

// Other work of the process may hold a few more; a leak grows with every operation.
const TOLERANCE = 8;

// A file or socket may close a moment after it was released.
const SETTLING_TIME_MS = 2000;
const LOOKS = 40;

type Census = ReadonlyMap<string, number>;

/** Counts what the process holds, by kind: active resources and open descriptors. */
async function takeCensus(): Promise<Census> {
  const census = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!TRANSIENT.has(kind)) census.set(kind, (census.get(kind) ?? 0) + 1);
  }
  try {
    // Linux only. Elsewhere idle open files are not counted.
    census.set(OPEN_FILES, (await readdir('/proc/self/fd')).length);
  } catch {
    census.set(OPEN_FILES, 0);
  }
  return census;
}

export interface LeakOptions {
  /** How many more of one kind are allowed, since a pool keeps some. Default: 8. */
  readonly tolerance?: number;
}

/**
 * Runs `work`, and reports what the process holds afterwards in addition: files, sockets, timers, workers. Let `work`
 * repeat an operation many times. Resources that close within two seconds are not reported. Open files are only counted on
 * Linux.
 *
 * @returns a text such as `40 of the kind "open file or socket"`; `undefined` for no leak
 */
export async function leakOf(
  work: () => Promise<void>,
  { tolerance = TOLERANCE }: LeakOptions = {},
): Promise<string | undefined> {
  const before = await takeCensus();
  await work();
  let leaks: string[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const now = await takeCensus();
    leaks = [...now]
      .map(([kind, count]) => ({ kind, more: count - (before.get(kind) ?? 0) }))
      .filter(({ more }) => more > tolerance)
      .map(({ kind, more }) => `${more} of the kind "${kind}"`);
    if (leaks.length === 0) return undefined;
    await delay(SETTLING_TIME_MS / LOOKS);
  }
  return leaks.join(', ');
}
