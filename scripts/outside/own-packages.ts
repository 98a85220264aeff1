import { inject } from 'vitest';
import { manifestIn } from './package-registry.js';

/**
 * Packages of this repository that come with others of it.
 * @returns their names and those of the given ones, sorted
 */
export async function ownPackagesBehind(...names: readonly string[]): Promise<string[]> {
  const archives = new Map(inject('packed').map(({ name, archive }) => [name, archive]));
  const found = new Set(names);
  for (const name of found) {
    const { dependencies, peerDependencies } = await manifestIn(String(archives.get(name)));
    for (const each of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (archives.has(each)) found.add(each);
    }
  }
  return [...found].sort();
}
