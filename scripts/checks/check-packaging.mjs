import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packPackage } from './pack-package.mjs';
import { publicPackages } from './workspace.mjs';

/** @import { Manifest } from './workspace.mjs' */

const run = promisify(execFile);
const publishedFile = /^(?:package\.json|README\.md|LICENSE|dist\/.+\.(?:js|js\.map|d\.ts))$/;

const packages = publicPackages();
let failures = packages.length === 0 ? 1 : 0;
for (const { path, manifest } of packages) {
  const problems = await packagingProblems(path);
  failures += problems.length;
  console.log(`${manifest.name}: ${problems.length === 0 ? 'fit to publish' : 'not fit to publish'}`);
  for (const problem of problems) console.error(`  ${problem.trim().replaceAll('\n', '\n  ')}`);
}
if (failures > 0) process.exitCode = 1;

/**
 * Packs the package as its publication would and looks at the archive alone.
 * @param {string} path from the checkout's root
 */
async function packagingProblems(path) {
  const temporary = await mkdtemp(join(tmpdir(), 'packaging-'));
  try {
    const archive = await packPackage(path, temporary);
    await run('tar', ['-xzf', archive, '-C', temporary]);
    return [
      ...(await contentProblems(join(temporary, 'package'))),
      ...(await outputOfFailure('publint', ['run', archive, '--strict'])),
      ...(await outputOfFailure('attw', [
        archive,
        '--profile',
        'esm-only',
        '--no-emoji',
        '--format',
        'ascii',
      ])),
    ];
  } finally {
    await rm(temporary, { recursive: true });
  }
}

/** @param {string} folder the unpacked archive */
async function contentProblems(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const names = files.map((file) => file.slice(folder.length + 1));
  const problems = names.filter((name) => !publishedFile.test(name)).map((name) => `publishes ${name}`);
  for (const name of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']) {
    if (!names.includes(name)) problems.push(`lacks ${name}`);
  }
  for (const file of files.filter((name) => name.endsWith('.map'))) {
    const map = await readJson(file);
    if (!map.sourcesContent?.every(Boolean))
      problems.push(`${file.slice(folder.length + 1)} lacks its sources`);
  }
  /** @type {Manifest} */
  const manifest = await readJson(join(folder, 'package.json'));
  const ranges = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  for (const [name, range] of Object.entries(ranges)) {
    if (/^(?:workspace|catalog|link|file):/.test(range)) problems.push(`depends on ${name} as ${range}`);
  }
  return problems;
}

/** @param {string} path */
async function readJson(path) {
  return JSON.parse(await readFile(path, 'utf8'));
}

/**
 * @param {string} command
 * @param {string[]} args
 */
async function outputOfFailure(command, args) {
  try {
    await run(command, args);
    return [];
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout?: string, stderr?: string }} */ (error);
    if (stdout === undefined) throw error;
    return [`${command}: ${stdout}${stderr}`];
  }
}
