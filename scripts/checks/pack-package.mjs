import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { root } from '../toolchain.mjs';

const run = promisify(execFile);

/**
 * Packs a package as its publication would.
 * @param {string} path of the package, from the checkout's root
 * @param {string} folder where to put the archive
 * @returns {Promise<string>} the archive's absolute path
 */
export async function packPackage(path, folder) {
  const { stdout } = await run('pnpm', ['pack', '--json', '--pack-destination', folder], {
    cwd: `${root}${path}`,
  });
  return JSON.parse(stdout).filename;
}
