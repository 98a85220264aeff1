import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EmptyFolder } from './empty-folder.js';

/** One package of those that an installation brings. */
export interface TreePackage {
  readonly name: string;
  /** Its place below the folder of the installation. */
  readonly path: string;
  /** Whether it comes only because it, or what needs it, is a peer dependency: a host may have it anyway. */
  readonly peer: boolean;
}

/** What npm brings, at whatever depth, where nothing but these packages is installed. */
export async function dependencyTree(...packages: readonly string[]): Promise<TreePackage[]> {
  await using host = await EmptyFolder.make();
  await host.install('npm', '--package-lock-only', ...packages);
  const lockfile: Lockfile = JSON.parse(await host.read('package-lock.json'));
  return Object.entries(lockfile.packages)
    .filter(([path]) => path !== '')
    .map(([path, { peer = false }]) => ({ name: path.replace(/.*node_modules\//, ''), path, peer }));
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly peer?: boolean }>>;
}

/** The sum of the sizes of a package's files, in bytes, without packages inside of it. */
export async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true });
  const sizes = entries
    .filter(({ name }) => name !== 'node_modules')
    .map(async (entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? await sizeOf(path) : (await stat(path)).size;
    });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
