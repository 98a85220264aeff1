import { join } from 'node:path';
import { unlessAbsent } from './absence.js';
import { opendir, stat, unlink } from './fs-calls.js';
import { parseTemporaryName, vitalityOf } from './temporary-name.js';

/**
 * How long a temporary file of a writer that cannot be asked stays untouched before it counts as left behind,
 * in milliseconds. A living writer touches its file with every write, and writes within seconds.
 */
const ABANDONED_AFTER = 60 * 60 * 1000;

/**
 * Removes the unfinished files of writers that died.
 * @param now milliseconds since the Unix epoch.
 * @returns how many were removed.
 */
export async function removeLeftovers(folder: string, now: number): Promise<number> {
  let removed = 0;
  for await (const { name } of (await unlessAbsent(opendir(folder))) ?? []) {
    const path = join(folder, name);
    // Its writer may have finished it meanwhile, or somebody else cleans too.
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
  const vitality = await vitalityOf(writer);
  if (vitality === 'unknown') return now - (await stat(path)).mtimeMs > ABANDONED_AFTER;
  return vitality === 'dead';
}
