import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { publicPackages, workspacePackages } from '../checks/workspace.mjs';
import { root } from '../toolchain.mjs';

const run = promisify(execFile);
const versionPackages = join(root, 'scripts/version-packages.mjs');

it('a release gives every public package one version, and the changelog its section', async () => {
  const repository = await manifestsAlone();
  const changeset = '---\n"@imgproxy-cache/fs": minor\n---\n\nFiles are found faster.\n';
  await writeFile(join(repository, '.changeset/faster-files.md'), changeset);
  const [{ version: before = '' } = {}] = await publicManifests(root);
  const [major, minor] = before.split('.').map(Number);
  const next = `${major}.${Number(minor) + 1}.0`;

  await run(process.execPath, [versionPackages], { cwd: repository });

  for (const { name, version } of await publicManifests(repository))
    expect({ name, version }).toEqual({ name, version: next });
  const changelog = await readFile(join(repository, 'CHANGELOG.md'), 'utf8');
  expect(changelog).toMatch(/^## \[Unreleased\]\n\n## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d\n/m);
  expect(changelog).toContain(`## [${next}] - `);
  expect(await pendingChangesets(repository)).toEqual([]);
  await expect(run(process.execPath, [versionPackages], { cwd: repository })).rejects.toThrow(
    'No changeset is pending',
  );
});

it('all public packages have one version', async () => {
  const versions = new Set((await publicManifests(root)).map(({ version }) => version));
  expect([...versions]).toHaveLength(1);
});

it('what is unreleased in the changelog has a changeset, and a changeset has its words there', async () => {
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  const [, unreleased = ''] = /^## \[Unreleased\]\n(.*?)(?=^## \[|$(?![\s\S]))/ms.exec(changelog) ?? [];
  const pending = await pendingChangesets(root);
  expect({ changeset: pending.length > 0 }).toEqual({ changeset: unreleased.trim() !== '' });
});

/** A repository that has nothing but what versions are read from, and no git. */
async function manifestsAlone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const manifests = workspacePackages().map(({ path }) => join(path, 'package.json'));
  const files = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', 'CHANGELOG.md', '.changeset'];
  for (const path of [...files, ...manifests])
    await cp(join(root, path), join(folder, path), { recursive: true });
  return folder;
}

async function publicManifests(repository: string): Promise<{ name: string; version: string }[]> {
  const read = publicPackages().map(({ path }) => readFile(join(repository, path, 'package.json'), 'utf8'));
  return (await Promise.all(read)).map((text) => JSON.parse(text));
}

async function pendingChangesets(repository: string): Promise<string[]> {
  const files = await readdir(join(repository, '.changeset'));
  return files.filter((name) => name.endsWith('.md') && name !== 'README.md');
}
