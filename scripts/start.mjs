import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { root, runInForeground, runQuietly, toolchainEnvironment } from './toolchain.mjs';

const example = 'image-server';

const env = withCacheDefaults(await toolchainEnvironment());
const driver = driverBeside(env);
const filters = [example, ...driver].flatMap((name) => ['--filter', `${name}...`]);
const install = ['pnpm', 'install', '--frozen-lockfile', '--reporter=append-only'];
// A partial install would take the tools away from a checkout that has them, and pnpm would not bring them back.
if (!existsSync(`${root}scripts/node_modules`)) install.push(...filters);
await runQuietly('Installing dependencies', install, env);
await runQuietly('Building', ['pnpm', ...filters, 'run', 'build'], env);
for (const name of driver) putBeside(name);
process.exitCode = await runInForeground(['node', `examples/${example}/dist/main.js`], env);

/**
 * The chosen driver's package where it is one of this repository that the example does without: its SDK is not
 * fetched for those who do not use it.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]} its name, or nothing
 */
function driverBeside(env) {
  const use = (env['IMGPROXY_CACHE_USE'] ?? '').toLowerCase();
  if (!/^[a-z][a-z0-9-]*$/.test(use)) return [];
  const name = `@imgproxy-cache/${use}`;
  const { dependencies } = JSON.parse(readFileSync(`${root}examples/${example}/package.json`, 'utf8'));
  return name in dependencies || !existsSync(`${root}${folderOf(name)}/package.json`) ? [] : [name];
}

/**
 * Lets the example find a package as if it were installed beside it.
 * @param {string} name
 */
function putBeside(name) {
  const link = `${root}examples/${example}/node_modules/${name}`;
  rmSync(link, { force: true });
  symlinkSync(`${root}${folderOf(name)}`, link, 'dir');
}

/** @param {string} name of a package of this repository */
function folderOf(name) {
  return name.replace('@imgproxy-cache/', 'packages/');
}

/**
 * A cache on disk inside the checkout, unless the operator has chosen: a variable that is set, if only to nothing, is
 * a choice.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function withCacheDefaults(env) {
  const chosen = { IMGPROXY_CACHE_USE: 'fs', ...env };
  if (chosen.IMGPROXY_CACHE_USE.trim().toLowerCase() !== 'fs' || 'IMGPROXY_CACHE_FS_ROOT' in env)
    return chosen;
  const folder = `${root}.cache/${example}`;
  mkdirSync(folder, { recursive: true });
  return { ...chosen, IMGPROXY_CACHE_FS_ROOT: folder };
}
