import { existsSync, readFileSync } from 'node:fs';

/** The installed version of a package. */
export function versionOf(packageName: string): string {
  // Without `findPackageJSON`, which Node.js 22.12 does not have.
  for (let folder = new URL('.', import.meta.resolve(packageName)); folder.pathname !== '/'; ) {
    const manifest = new URL('package.json', folder);
    if (existsSync(manifest)) {
      const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, string>;
      if (name === packageName && version !== undefined) return version;
    }
    folder = new URL('..', folder);
  }
  throw new Error(`${packageName} is not installed`);
}

/** What Node.js has built in. */
export const NODE_VERSION: string = `Node.js ${process.versions.node}`;
