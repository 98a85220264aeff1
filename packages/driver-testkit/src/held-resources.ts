import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const TRANSIENT = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq', 'GetAddrInfoReqWrap']);
const OPEN_FILES = 'open file or socket';

// What the process does besides may hold a few more; a leak holds one more with every operation.
const TOLERANCE = 8;

// A file or socket may close a moment after the operation that gave it back.
const SETTLING_TIME_MS = 2000;
const LOOKS = 40;

type Census = ReadonlyMap<string, number>;

/** What the process holds that keeps memory, descriptors or the process itself alive, by kind. */
async function takeCensus(): Promise<Census> {
  const census = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!TRANSIENT.has(kind)) census.set(kind, (census.get(kind) ?? 0) + 1);
  }
  try {
    // Linux, and what pretends to be it. Elsewhere files that lie open idly are not seen.
    census.set(OPEN_FILES, (await readdir('/proc/self/fd')).length);
  } catch {
    census.set(OPEN_FILES, 0);
  }
  return census;
}

export interface LeakOptions {
  /** How much more of one kind is no leak, since a pool keeps some. Default: 8. */
  readonly tolerance?: number;
}

/**
 * Does `work` and says what the process holds afterwards and did not before: files, sockets, timers, workers. So let
 * `work` do a thing many times. What closes within two seconds is no leak. Open files are counted on Linux alone.
 *
 * @returns a text such as `40 of the kind "open file or socket"`; `undefined` for nothing worth mentioning
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
