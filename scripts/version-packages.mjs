// node scripts/version-packages.mjs: takes the pending changesets, gives all public packages their next version, and
// makes what is unreleased in CHANGELOG.md that version's section. Works on the repository in the current folder.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const changesetCommand = fileURLToPath(import.meta.resolve('@changesets/cli/bin.js'));
const unreleased = '## [Unreleased]\n';

const pending = readdirSync('.changeset').filter((name) => name.endsWith('.md') && name !== 'README.md');
if (pending.length === 0) throw new Error('No changeset is pending: there is nothing to release.');
const changelog = readFileSync('CHANGELOG.md', 'utf8');
if (!changelog.includes(unreleased)) throw new Error('CHANGELOG.md has no section [Unreleased].');

execFileSync(process.execPath, [changesetCommand, 'version'], { stdio: 'inherit' });
const { version } = JSON.parse(readFileSync('packages/core/package.json', 'utf8'));
const section = `## [${version}] - ${new Date().toISOString().slice(0, 10)}\n`;
writeFileSync('CHANGELOG.md', changelog.replace(unreleased, `${unreleased}\n${section}`));
console.log(`The packages and CHANGELOG.md are at ${version}. Look at both, and commit.`);
