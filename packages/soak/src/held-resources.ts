import { readdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { collectGarbage, countObjects } from './memory.js';

const TRANSIENT = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'CloseReq', 'GetAddrInfoReqWrap']);
// A look at the heap takes half a second.
const PAUSE_MS = 500;

const timer = setTimeout(() => undefined, 0);
const Timeout = timer.constructor as NewableFunction;
clearTimeout(timer);

/** How much of each kind a process holds. */
export type Census = ReadonlyMap<string, number>;

/**
 * What this process holds: what keeps it alive, its file descriptors where they can be read, and sockets and timers that
 * the garbage collector cannot take.
 */
export async function takeCensus(): Promise<Census> {
  collectGarbage();
  const census = new Map<string, number>();
  const resources = process.getActiveResourcesInfo().filter((kind) => !TRANSIENT.has(kind));
  for (const kind of resources) census.set(kind, (census.get(kind) ?? 0) + 1);
  census.set('file descriptor', await countFileDescriptors());
  census.set('Socket object', countObjects(Socket));
  census.set('Timeout object', countObjects(Timeout));
  census.set('listener of the process', countProcessListeners());
  return census;
}

/** What there is more of than before: nothing, as soon as that is so, or what is left when patience ends. */
export async function surplusSince(before: Census, patience: number): Promise<string[]> {
  const began = performance.now();
  for (;;) {
    const surplus = [...(await takeCensus())]
      .map(([kind, count]) => ({ kind, more: count - (before.get(kind) ?? 0) }))
      .filter(({ more }) => more > 0)
      .map(({ kind, more }) => `${more} more of the kind "${kind}"`);
    if (surplus.length === 0 || performance.now() - began > patience) return surplus;
    await delay(PAUSE_MS);
  }
}

async function countFileDescriptors(): Promise<number> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch {
    // Not on Linux: sockets are seen all the same.
    return 0;
  }
}

function countProcessListeners(): number {
  return process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0);
}
