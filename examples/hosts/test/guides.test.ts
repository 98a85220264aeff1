import { globSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { HostFolder } from './host-folder.js';
import { HostProcess } from './host-process.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const examples = fileURLToPath(new URL('..', import.meta.url));
const guides = globSync('docs/guides/hosts-*.md', { cwd: repository }).map((page) => {
  const text = readFileSync(repository + page, 'utf8');
  const files = [...text.matchAll(/^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$/gms)];
  const commands = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, lines = '']) =>
    lines.trim().split('\n'),
  );
  return {
    page,
    files: files.map(([, file = '', code = '']) => ({ file, code })),
    commands,
    statuses: [...text.matchAll(/`Cache-Status: ([^`]+)`/g)].map(([, status = '']) => status),
  };
});

test('every host has a guide', () => {
  const shown = guides.flatMap(({ files }) => files.map(({ file }) => file));
  const hosts = globSync('examples/hosts/*/*.mts', { cwd: repository });
  expect(hosts.length).toBeGreaterThan(4);
  expect(shown.sort()).toEqual(hosts.sort());
});

test.each(guides)('$page leads to a miss and a hit', async ({ files, commands, statuses }) => {
  // Within the package, so that the host finds what it imports.
  const parent = path.join(examples, '.cache');
  await mkdir(parent, { recursive: true });
  await using folder = await HostFolder.create(parent);
  for (const { file, code } of files) await writeFile(path.join(folder.path, path.basename(file)), code);

  const command = commands.find((line) => line.endsWith('node server.mts')) ?? '';
  await using host = await HostProcess.start(command, folder.path);
  const seen = [];
  for (const line of commands) {
    const [, target] = /^curl .* 'http:\/\/localhost:8080(\S+)'$/.exec(line) ?? [];
    if (target !== undefined) seen.push((await host.get(target)).cacheStatus);
  }
  expect(seen).toHaveLength(2);
  // The second may come while the first is being stored.
  expect(seen.map((status) => status?.replace('; detail=pending', ''))).toEqual(statuses);
  expect((await host.stop()).end).toBe(0);
});

test('what the guides install is what the hosts use', () => {
  const { dependencies } = JSON.parse(readFileSync(`${examples}package.json`, 'utf8'));
  const installed = guides.map(({ commands }) =>
    commands
      .filter((command) => command.startsWith('npm install '))
      .flatMap((command) => command.split(' ').slice(2)),
  );
  for (const [index, { page, files }] of guides.entries()) {
    const imported = files
      .flatMap(({ code }) => [...code.matchAll(/from '([^.'][^']*)'/g)])
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('node:'));
    expect([page, imported.filter((name) => !installed[index]?.includes(name))]).toEqual([page, []]);
  }
  expect(installed.flat().filter((name) => !(name in dependencies))).toEqual([]);
});
