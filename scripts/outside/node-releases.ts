import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { root } from '../toolchain.mjs';
import { succeed } from './process.js';

/** Fetches the releases through npx, into npm's cache, where the tests do not run on them anyway. */
export async function fetchNodes(): Promise<{ lowest: string; current: string }> {
  const { engines } = JSON.parse(await readFile(`${root}packages/core/package.json`, 'utf8'));
  const lowest = String(engines.node).replace('>=', '');
  const current = (await readFile(`${root}.node-version`, 'utf8')).trim();
  return { lowest: await executableOf(`${lowest}.0`), current: await executableOf(current) };
}

/** @param version such as 22.12.0 */
async function executableOf(version: string): Promise<string> {
  if (version === process.versions.node) return process.execPath;
  const npx = ['npx', '--yes', `--package=node@${version}`, '--call'];
  const path = (await succeed([...npx, 'command -v node'], { cwd: tmpdir() })).trim();
  const found = (await succeed([path, '--version'], { cwd: tmpdir() })).trim();
  if (found === `v${version}`) return path;
  throw new Error(`npx gave Node.js ${found} in the place of v${version}`);
}
