import { join } from 'node:path';
import { opendir, stat, unlink } from './fs-calls.js';
import { unlessAbsent } from './fs-errors.js';
import { parseTemporaryName, processState } from './temporary-names.js';

/**
 * Age in milliseconds from which a temporary file counts as abandoned if the state of its writer is unknown. A live
 * writer finishes within seconds.
 */
const ABANDONED_AFTER = 60 * 60 * 1000;

/**
 * Removes temporary files of dead writers.
 * @param now milliseconds since the Unix epoch.
 * @returns how many were removed.
 */
export async function removeLeftovers(folder: string, now: number): Promise<number> {
  let removed = 0;
  for await (const { name } of (await unlessAbsent(opendir(folder))) ?? []) {
    const path = join(folder, name);
    // The writer may have renamed it meanwhile, or another process has removed it.
    if (await unlessAbsent(isLeftover(name, path, now))) {
      await unlessAbsent(unlink(path));
      removed += 1;
    }
  }
  return removed;
}

async function isLeftover(name: string, path: string, now: number): Promise<boolean> {
  const writer = parseTemporaryName(name);
  if (writer === undefined) return false;
  const state = await processState(writer);
  if (state === 'unknown') return now - (await stat(path)).mtimeMs > ABANDONED_AFTER;
  return state === 'dead';
}
