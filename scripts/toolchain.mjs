// Runs on every Node.js that the root package.json admits, before anything is installed: no dependencies here.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const lowestNode = [22, 12];
const pinnedNode = readFileSync(`${root}/.node-version`, 'utf8').trim();
const pinnedPnpm = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).packageManager.split('@')[1];

/**
 * The environment in which `node` is recent enough for the workspace and `pnpm` is the one it was made with.
 * What the caller's own environment lacks comes from npm's registry through npx, into npm's cache.
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function toolchainEnvironment() {
  const nodeServes = isAtLeast(process.versions.node, lowestNode);
  const pnpmServes = startedBy('pnpm', pinnedPnpm.split('.')[0]);
  // The tools that every package uses belong to the package "scripts".
  const path = [`${root}scripts/node_modules/.bin`, process.env['PATH'] ?? ''];
  if (nodeServes) path.unshift(dirname(process.execPath));
  if (!nodeServes || !pnpmServes) path.unshift(await fetchTools(!nodeServes, !pnpmServes));
  return {
    ...process.env,
    PATH: path.join(delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
  };
}

/**
 * Says what is being done and does it, showing the command's output only where it fails, which ends the process.
 * @param {string} what
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 */
export async function runQuietly(what, command, env) {
  console.log(`${what} …`);
  const { exitCode, output } = await capture(command, env);
  if (exitCode === 0) return;
  process.stderr.write(output);
  console.error(`${what} failed: "${command.join(' ')}" ended with exit code ${exitCode}.`);
  process.exit(exitCode);
}

/**
 * Runs the command in the caller's terminal and resolves to its exit code. A signal that asks this process to stop is
 * passed on. The command has a process group of its own, since Ctrl-C reaches every process of a terminal's group and
 * npm passes it on besides: the command gets it once.
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
export function runInForeground([file, ...args], env) {
  const child = spawn(/** @type {string} */ (file), args, {
    cwd: root,
    env,
    stdio: 'inherit',
    detached: true,
  });
  const release = forwardSignals(child);
  return exitCodeOf(child).finally(release);
}

/**
 * @param {boolean} node
 * @param {boolean} pnpm
 * @returns {Promise<string>} the folders of the fetched executables, for PATH
 */
async function fetchTools(node, pnpm) {
  const packages = [...(node ? [`node@${pinnedNode}`] : []), ...(pnpm ? [`pnpm@${pinnedPnpm}`] : [])];
  const notice = setTimeout(() => console.log(`Fetching ${packages.join(' and ')} …`), 1000);
  const command = ['npx', '--yes', ...packages.map((name) => `--package=${name}`)];
  command.push('--call', `command -v ${node ? 'node' : 'pnpm'}`);
  const { exitCode, stdout, output } = await capture(command, process.env);
  clearTimeout(notice);
  if (exitCode === 0) return withRunnablePnpm(dirname(stdout.trim()));
  process.stderr.write(output);
  console.error(`npx could not fetch ${packages.join(' and ')} from npm's registry (see above).`);
  return process.exit(1);
}

/**
 * npm 12 runs no install scripts, and without its own pnpm is a text that only a shell takes for a program; turbo starts
 * it without one.
 * @param {string} folder of fetched executables
 * @returns {string} a list of folders for PATH
 */
function withRunnablePnpm(folder) {
  const pnpm = join(folder, 'pnpm');
  if (!existsSync(pnpm) || !/^#[^!]/.test(readFileSync(pnpm, 'latin1').slice(0, 2))) return folder;
  const shims = join(root, '.cache', 'toolchain');
  mkdirSync(shims, { recursive: true });
  writeFileSync(join(shims, 'pnpm'), `#!/bin/sh\nexec sh '${pnpm}' "$@"\n`, { mode: 0o755 });
  return shims + delimiter + folder;
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 */
async function capture([file, ...args], env) {
  const child = spawn(/** @type {string} */ (file), args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const release = forwardSignals(child);
  let output = '';
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const exitCode = await exitCodeOf(child).finally(release);
  return { exitCode, stdout, output };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} as a shell counts: 128 and the signal's number for a child that a signal ended
 */
function exitCodeOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => void} stops forwarding
 */
function forwardSignals(child) {
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  const doubledWithin = 500;
  let last = Number.NEGATIVE_INFINITY;
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    if (performance.now() - last < doubledWithin) return;
    last = performance.now();
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

/**
 * @param {string} name
 * @param {string | undefined} major
 */
function startedBy(name, major) {
  return (process.env['npm_config_user_agent'] ?? '').startsWith(`${name}/${major}.`);
}

/**
 * @param {string} version
 * @param {number[]} lowest
 */
function isAtLeast(version, [lowestMajor = 0, lowestMinor = 0]) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > lowestMajor || (major === lowestMajor && minor >= lowestMinor);
}
