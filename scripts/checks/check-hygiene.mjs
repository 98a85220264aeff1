import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { root } from '../toolchain.mjs';
import { findingsIn } from './text-rules.mjs';
import { workspacePackages } from './workspace.mjs';

/** @import { Finding } from './text-rules.mjs' */

const generated = ['pnpm-lock.yaml'];

const files = textFiles();
const findings = [...files.flatMap(findingsIn), ...workspacePackages().flatMap(layoutFindings)];
for (const { path, line, problem } of findings) console.error(`${path}${line ? `:${line}` : ''} ${problem}`);
console.log(`${files.length} text files, ${findings.length} findings`);
if (files.length === 0 || findings.length > 0) process.exitCode = 1;

/** Every file that is tracked or could be: what git ignores is nobody's text. */
function textFiles() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  return listed
    .toString()
    .split('\0')
    .filter((path) => path !== '' && !generated.includes(path) && existsSync(root + path))
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}

/**
 * @param {import('./workspace.mjs').WorkspacePackage} workspacePackage
 * @returns {Finding[]}
 */
function layoutFindings({ path, manifest }) {
  const problems = [];
  for (const file of ['tsconfig.json', 'tsconfig.test.json', 'vitest.config.ts']) {
    if (!existsSync(`${root}${path}/${file}`)) problems.push(`has no ${file}`);
  }
  for (const script of ['build', 'typecheck']) {
    if (!manifest.scripts?.[script]) problems.push(`has no script "${script}" in package.json`);
  }
  if (manifest.type !== 'module') problems.push('is not of type "module"');
  if (!manifest.private) problems.push(...publicationProblems(path, manifest));
  return problems.map((problem) => ({ path, problem }));
}

/**
 * @param {string} path
 * @param {import('./workspace.mjs').Manifest} manifest
 */
function publicationProblems(path, manifest) {
  const problems = [];
  if (!manifest.description?.trim()) problems.push('has no description in package.json');
  if (manifest.license !== 'Apache-2.0') problems.push('is not licensed Apache-2.0 in package.json');
  if (!manifest.engines?.['node']) problems.push('names no Node.js version in engines');
  if (manifest.sideEffects !== false)
    problems.push('does not say in package.json that it has no side effects');
  // npm takes a package with a scope for a private one otherwise, and refuses to publish it.
  if (manifest.publishConfig?.['access'] !== 'public') problems.push('is not published to everybody');
  for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
    if (typeof target !== 'string' && Object.keys(target).join() !== 'types,default')
      problems.push(`exports ${entry} by other conditions than "types" and "default", in this order`);
  }
  for (const file of ['README.md', 'LICENSE']) {
    if (!existsSync(`${root}${path}/${file}`)) problems.push(`has no ${file}`);
  }
  const license = `${root}${path}/LICENSE`;
  if (existsSync(license) && !readFileSync(license).equals(readFileSync(`${root}LICENSE`))) {
    problems.push("has a LICENSE that is not the repository's");
  }
  return problems;
}
